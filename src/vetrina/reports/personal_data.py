"""Personal data in reports: saved searches."""

from __future__ import annotations

from types import NoneType
from typing import Any

from vetrina.core.database.connection import Statement
from vetrina.core.personal_data import PersonalData, TableRule

EXPORT_SEARCHES = Statement(
    dict[str, Any], "select to_jsonb(s) - 'account_id' as row from reports.searches s where account_id = %(account)s order by id"
)
ERASE_SEARCHES = Statement(NoneType, "delete from reports.searches where account_id = %(account)s")

PERSONAL_DATA = PersonalData("reports", [TableRule("reports.searches", EXPORT_SEARCHES, ERASE_SEARCHES)])
