"""SQL of conversions: generations from a picture, as the view `studio.conversions` shows them."""

from __future__ import annotations

from vetrina.core.database.connection import Statement
from vetrina.studio.generations.model import Allowance, ConversionRow

_ROWS = """
    select g.account_id, g.id, coalesce(c.conversion_type, 'paid') as conversion_type, coalesce(c.status, g.status) as status,
           g.style_name, g.charge_asset::text as charge_asset, g.cost, c.error_message, g.processing_time_ms, c.file_size_bytes,
           g.created_at, g.completed_at,
           (select media.facts(f) from media.files f where f.account_id = c.account_id and f.id = c.input_file_id) as input,
           (select media.facts(f) from media.files f where f.account_id = c.account_id and f.id = c.output_file_id) as output
      from studio.generations g
      join studio.conversions c on c.account_id = g.account_id and c.id = g.id
"""
ONE = Statement(ConversionRow, f"{_ROWS} where g.account_id = %(account)s and g.id = %(id)s")
HISTORY = Statement(
    ConversionRow, f"{_ROWS} where g.account_id = %(account)s and g.id < %(before)s order by g.id desc limit %(limit)s"
)
CATEGORY = Statement(str, "select category from media.files where account_id = %(account)s and id = %(file)s")
ALLOWANCE = Statement(
    Allowance,
    "select free_left + paid_left as remaining, resets_at from wallet.allowance(%(account)s, 'conversion')",
)
