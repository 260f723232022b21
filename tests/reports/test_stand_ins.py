"""Stand-ins for e-mail addresses in the documented views, and the indexes that serve lookups through these views."""

from __future__ import annotations

import psycopg
import pytest

from tests.factories import Make
from tests.reports.helpers import at, changed, made, subscription
from tests.stripe_mirror.helpers import ingest
from vetrina.core.database.connection import Database
from vetrina.stripe_mirror.consistency import sample_data as sample

AT = at("2026-02-01")
ALIKE = ["ada@example.com", "alan@example.com", "anita@example.com", "a@example.com", "ada@example.org"]
"""Addresses that shared a mask when only the first letter and the domain were shown."""
ADA = "stand_in('ada@example.com')"
ID = "00000000-0000-0000-0000-000000000001"


async def test_joins_by_address_pair_the_same_people(db: Database, make: Make, reporting: psycopg.Connection) -> None:
    await ingest(db, [made({**sample.customer(number, AT), "email": email.upper()}, "2026-02-01")
                      for number, email in enumerate(ALIKE)])  # fmt: skip
    for email in ALIKE:
        await make.account(email=email)
    pairs = reporting.execute(
        "select count(*), count(distinct c.email) from doc_cogento.users c join doc_style_studio.users s on s.email = c.email"
    ).fetchone()
    assert pairs == (len(ALIKE), len(ALIKE))
    assert reporting.execute("select count(*) from doc_cogento.users a join doc_cogento.users b using (email)").fetchone() == (5,)


async def test_real_address_finds_its_person(db: Database, make: Make, reporting: psycopg.Connection) -> None:
    accounts = {email: await make.account(email=email) for email in ALIKE}
    for schema, address in (("doc_style_studio", "ada@example.com"), ("doc_cogento", "ADA@example.com")):
        rows = reporting.execute(
            f"select _id from doc_style_studio.users where email = {schema}.stand_in(%s)".encode(), (address,)
        ).fetchall()
        assert rows == [(accounts["ada@example.com"].id,)]
    assert reporting.execute("select doc_cogento.stand_in(null)").fetchone() == (None,)
    unlike = reporting.execute("select doc_cogento.stand_in('no address')").fetchone()
    assert unlike and unlike[0].startswith("n***-") and len(unlike[0]) == 21


async def test_sites_have_different_keys(owner: str, reporting: psycopg.Connection) -> None:
    before = reporting.execute("select doc_cogento.stand_in('ada@example.com')").fetchone()
    with psycopg.connect(owner) as connection:
        connection.execute("update core.stand_in_key set key = sha256(key)")
        after = connection.execute("select doc_cogento.stand_in('ada@example.com')").fetchone()
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("insert into core.stand_in_key (key) values (sha256('other'))")
    assert before != after


@pytest.mark.parametrize("role", ["vetrina_app", "vetrina_reporting"])
def test_key_is_not_readable(database: str, reporting: psycopg.Connection, role: str) -> None:
    uri = database if role == "vetrina_app" else reporting.info.dsn + " password=test"
    with psycopg.connect(uri) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select key from core.stand_in_key")


@pytest.mark.parametrize(
    ("query", "indexes"),
    [
        (f"select * from doc_cogento.users where email = doc_cogento.{ADA}", ["customers_by_stand_in"]),
        ("select * from doc_cogento.users where stripe_customer_id = 'cus_1'", ["customers_pkey"]),
        ("""select * from doc_cogento.users where metadata @> '{"member_number": "7"}'""", ["customers_by_metadata"]),
        (f"select * from doc_cogento.subscriptions where user_id = '{ID}'",
         ["customers_by_user_id", "subscriptions_by_customer_id"]),
        ("select * from doc_cogento.subscriptions where stripe_subscription_id = 'sub_1'", ["subscriptions_pkey"]),
        ("select * from doc_cogento.subscriptions where status = 'unpaid'", ["subscriptions_by_status"]),
        ("""select * from doc_cogento.subscriptions where metadata @> '{"a": "7"}'""", ["subscriptions_by_metadata"]),
        (f"select * from doc_cogento.user_roles where user_id = '{ID}'",
         ["customers_by_user_id", "customer_linked_once", "user_roles_pkey"]),
        ("select * from doc_cogento.user_roles where role = 'admin'", ["user_roles_by_role"]),
        (f"select * from doc_style_studio.users where email = doc_style_studio.{ADA}", ["accounts_by_stand_in"]),
        ("""select * from doc_style_studio.users where "externalId" = 'sub-1'""", ["identities_by_subject"]),
        (f"""select * from doc_style_studio.generations where "userId" = '{ID}'""", ["generations_"]),
        ("select * from doc_style_studio.generations where status = 'failed'", ["generations_of_status"]),
        (f"""select * from doc_style_studio.generations where "userId" = '{ID}' order by "createdAt" desc limit 10""",
         ["generations_by_time"]),
        (f"""select * from doc_style_studio.generations where "userId" = '{ID}' and status = 'failed' order by _id""",
         ["generations_by_status"]),
        (f"""select * from doc_style_studio.files where "userId" = '{ID}'""", ["files_"]),
        ("select * from doc_style_studio.files where category = 'profile_image'", ["files_of_category"]),
        ("""select * from doc_style_studio.files where "storageId" = 'ab/cd'""", ["files_by_storage_id"]),
        (f"""select * from doc_style_studio.usage where "userId" = '{ID}' order by timestamp desc limit 10""",
         ["usage_by_account_and_time"]),
        ("select * from doc_style_studio.usage where action = 'signed_in'", ["usage_by_action"]),
        (f"""select * from doc_style_studio.usage where "userId" = '{ID}' and action = 'signed_in'""",
         ["usage_by_account_and_action"]),
        (f"""select * from doc_style_studio."tokenPurchases" where "userId" = '{ID}'""", ["payments_"]),
        ("""select * from doc_style_studio."tokenPurchases" where "stripePaymentIntentId" = 'pi_1'""", ["payments_by_intent"]),
        ("""select * from doc_style_studio."tokenPurchases" where "transactionId" = 't1'""", ["payments_by_track"]),
    ],
)  # fmt: skip
def test_documented_indexes_serve_the_views(reporting: psycopg.Connection, query: str, indexes: list[str]) -> None:
    reporting.execute("set enable_seqscan = off")
    if "order by" in query:  # an index on empty tables must win by its order
        reporting.execute("set enable_sort = off; set enable_bitmapscan = off")
    plan = "\n".join(row[0] for row in reporting.execute(f"explain {query}".encode()))
    assert [name for name in indexes if name not in plan] == [], plan


async def test_subscriptions_and_roles_refer_to_listed_users(db: Database, make: Make, reporting: psycopg.Connection) -> None:
    customer = sample.customer(1, AT)
    orphan = subscription(2, "2026-02-01", 900, customer=9)
    await ingest(db, [made(item, "2026-02-01") for item in (customer, subscription(1, "2026-02-01", 900), orphan)])
    account = await make.account()
    async with db.tx() as tx:
        await tx.connection.execute(
            "insert into stripe_mirror.links (account_id, customer_id, is_primary) values (%s, 'cus_sample0000000001', true)",
            (account.id,),
        )
        await tx.connection.execute("insert into accounts.user_roles values (%s, 'member')", (account.id,))
    counts = "select (select count(*) from doc_cogento.subscriptions), (select count(*) from doc_cogento.user_roles)"
    assert reporting.execute(counts).fetchone() == (1, 1)
    await ingest(db, [{**changed(customer, "2026-02-02"), "type": "customer.deleted"}])
    assert reporting.execute(counts).fetchone() == (0, 0)


async def test_usage_refers_by_documented_names(db: Database, make: Make, reporting: psycopg.Connection) -> None:
    account = await make.account()
    async with db.tx() as tx:
        await tx.connection.execute(
            """insert into core.usage (account_id, action, metadata) values
               (%s, 'one_thing', '{"generation_id": "g", "payment_id": "p", "file_id": "f", "cost": 1}')""",
            (account.id,))  # fmt: skip
    rows = reporting.execute("select metadata from doc_style_studio.usage where action = 'one_thing'").fetchall()
    assert rows == [({"generationId": "g", "tokenPurchaseId": "p", "fileId": "f", "cost": 1},)]


async def test_erased_accounts_are_not_listed(db: Database, owner: str, make: Make, reporting: psycopg.Connection) -> None:
    account = await make.account()
    async with db.tx() as tx:
        await tx.connection.execute(
            "insert into payments.payments (account_id, id, kind, gateway, quantity, amount, currency, description, expires_at, "
            "track_id) values (%s, gen_random_uuid(), 'tokens', 'sandbox', 50, 499, 'USD', 'x', now(), 't1')",
            (account.id,))  # fmt: skip
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("update accounts.accounts set email = null, phone = null, password_hash = null, is_active = false, "
                           "erased_at = now() where id = %s", (account.id,))  # fmt: skip
    assert reporting.execute("select count(*) from doc_style_studio.users where _id = %s", (account.id,)).fetchone() == (0,)
    bought = reporting.execute('select "userId", "transactionId" from doc_style_studio."tokenPurchases"').fetchall()
    assert bought == [(None, "t1")]
