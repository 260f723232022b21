"""The catalogue rules detect planted violations, one at a time, in a transaction that is rolled back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.rules import test_catalogue as rules
from tests.rules.catalogue import Catalogue

OWNED = "account_id uuid, id uuid, created_at timestamptz, primary key (account_id, id)"

PLANTED: list[tuple[Callable[[Catalogue], None], str]] = [
    (rules.test_every_schema_is_a_module, "create schema attic; create table attic.boxes (account_id uuid)"),
    (rules.test_every_table_is_owner_first, "create table wallet.loose (id uuid primary key, created_at timestamptz)"),
    (
        rules.test_references_to_owned_rows_include_the_owner,
        f"""create table studio.thieves ({OWNED}, file_id uuid);
            alter table media.stored_files add constraint file_alone unique (id);
            alter table studio.thieves add constraint thief_has_a_file foreign key (file_id)
              references media.stored_files (id)""",
    ),
    (
        rules.test_foreign_keys_point_to_lower_modules,
        """alter table media.stored_files add column generation_id uuid, add constraint file_knows_its_maker
             foreign key (account_id, generation_id) references studio.generations (account_id, id)""",
    ),
    (
        rules.test_foreign_keys_point_to_lower_modules,
        """alter table stripe_mirror.events add column plan_id uuid, add constraint event_is_of_a_sibling
             foreign key (plan_id) references wallet.plans (id)""",
    ),
    (rules.test_every_constraint_is_named_by_us, "alter table wallet.packs add check (quantity < 1000000)"),
    (rules.test_every_constraint_is_named_by_us, "alter table wallet.packs add unique (name, title)"),
    (rules.test_constraint_names_are_unique, "alter table wallet.plans add constraint pack_name_taken check (name <> '')"),
    (rules.test_every_table_has_created_and_updated_times, "create table wallet.timeless (account_id uuid primary key)"),
    (rules.test_every_table_has_created_and_updated_times, "drop trigger files_touch on media.stored_files"),
    (
        rules.test_every_table_has_created_and_updated_times,
        f"""create table wallet.silent ({OWNED}); create function wallet.hush() returns void language sql as
            $$ insert into wallet.silent values (null, null, null)
               on conflict (account_id, id) do update set created_at = now() $$""",
    ),
    (
        rules.test_append_only_tables_are_only_appended_to,
        "create function wallet.forge() returns void language sql as 'update wallet.entries set quantity = 1'",
    ),
    (rules.test_every_foreign_key_has_an_index, "drop index payments.payments_by_pack"),
    (rules.test_every_refusal_names_a_constraint_that_exists, "alter table wallet.wallets drop constraint wallet_not_overdrawn"),
    (
        rules.test_every_reachable_constraint_has_a_refusal,
        "alter table media.stored_files add constraint file_is_lucky check (bytes <> 13)",
    ),
    (
        rules.test_only_the_owning_module_writes,
        "create function studio.rob() returns void language sql as 'update wallet.wallets set balance = 0'",
    ),
    (
        rules.test_functions_call_only_lower_modules,
        "create function wallet.reach() returns jsonb language sql as $$ select studio.start('{}') $$",
    ),
    (
        rules.test_no_function_lends_its_owners_rights,
        "create function wallet.lend() returns void language sql security definer as 'select'",
    ),
]


@pytest.mark.parametrize(("rule", "planted"), PLANTED, ids=lambda each: getattr(each, "__name__", " "))
def test_notices(as_owner: psycopg.Connection[Any], rule: Callable[[Catalogue], None], planted: str) -> None:
    with as_owner.transaction(force_rollback=True):
        as_owner.execute(planted.encode())
        wrong = Catalogue.read(as_owner)
        with pytest.raises(AssertionError):
            rule(wrong)
