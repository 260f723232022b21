"""The documented schemas: all documented columns exist, the documents' queries run, and nothing else is readable."""

from __future__ import annotations

import re

import psycopg
import pytest

from tests.factories import Make
from tests.reports.helpers import at, changed, made, subscription
from tests.rules.code import ROOT
from tests.stripe_mirror.helpers import ingest
from vetrina.commands.conform import examine
from vetrina.core.database.connection import Database
from vetrina.reports.conformance import conforms, documents
from vetrina.stripe_mirror.consistency import sample_data as sample
from vetrina.wallet.ledger import actions as wallet
from vetrina.wallet.model import Asset

AT = at("2026-02-01")
ADDRESS = "Ada.Lovelace@example.com"

# Copied literally from the document; its two literals '[email protected]' become the stand-in of ADDRESS.
QUERIES = [
    """SELECT u.*, s.* 
FROM users u 
LEFT JOIN subscriptions s ON u.user_id = s.user_id 
WHERE u.email = '[email protected]';""",
    """SELECT * FROM users 
WHERE metadata->>'membership_type' = 'Adult';""",
    """SELECT * FROM subscriptions 
WHERE metadata->>'subscription_type' = 'Premium';""",
    """SELECT u.*, ur.role 
FROM users u 
JOIN user_roles ur ON u.user_id = ur.user_id 
WHERE u.email = '[email protected]';""",
]  # fmt: skip


async def members(db: Database) -> None:
    """Add three customers, two of them with addresses that share first letter and domain, and two subscriptions."""
    await ingest(db, [
        made({**sample.customer(1, AT), "email": ADDRESS, "metadata": {"membership_type": "Adult"}}, "2026-02-01"),
        made({**sample.customer(2, AT), "email": "alan@example.com", "metadata": {"membership_type": "Adult"}}, "2026-02-01"),
        made({**sample.customer(3, AT), "email": None, "metadata": {"membership_type": "Junior"}}, "2026-02-01"),
        made({**subscription(1, "2026-02-01", 900), "metadata": {"subscription_type": "Premium"}}, "2026-02-01"),
        made({**subscription(2, "2026-02-01", 900), "metadata": {"subscription_type": "Basic"}}, "2026-02-01"),
    ])  # fmt: skip


async def test_documented_queries_return_their_rows(db: Database, make: Make, reporting: psycopg.Connection) -> None:
    await members(db)
    account = await make.account()
    async with db.tx() as tx:
        await tx.connection.execute(
            "insert into stripe_mirror.links (account_id, customer_id, is_primary) values (%s, 'cus_sample0000000001', true)",
            (account.id,),
        )
        await tx.connection.execute("insert into accounts.user_roles values (%s, 'admin'), (%s, 'member')", (account.id,) * 2)
    reporting.execute("set search_path = doc_cogento")
    answers = []
    for query in QUERIES:
        cursor = reporting.execute(query.replace("'[email protected]'", f"stand_in('{ADDRESS}')").encode())
        names = [item.name for item in cursor.description or ()]
        answers.append([dict(zip(names, row, strict=True)) for row in cursor.fetchall()])
    with_subscription, adults, premium, roles = answers
    assert [row["stripe_subscription_id"] for row in with_subscription] == ["sub_sample0000000001"]
    assert {row["stripe_customer_id"] for row in adults} == {"cus_sample0000000001", "cus_sample0000000002"}
    assert [row["stripe_subscription_id"] for row in premium] == ["sub_sample0000000001"]
    assert sorted(row["role"] for row in roles) == ["admin", "member"]


async def test_personal_data_is_masked(db: Database, make: Make, reporting: psycopg.Connection) -> None:
    grace = {**sample.customer(2, AT), "email": "grace@example.com", "name": "Grace", "phone": "+32470123456"}
    await ingest(db, [made(grace, "2026-02-01")])
    row = reporting.execute("select email, name, phone, address, metadata ->> 'member_number' from doc_cogento.users").fetchone()
    assert row and row[1:] == ("G***", "***56", {"city": "Ghent", "country": "BE"}, "2")
    assert re.fullmatch(r"g\*\*\*-[0-9a-f]{16}@example\.com", row[0])
    account = await make.account(email="ada@example.com")
    users = reporting.execute('select email, name, "tokenBalance" from doc_style_studio.users where _id = %s', (account.id,))
    email, *others = users.fetchone() or ("",)
    assert re.fullmatch(r"a\*\*\*-[0-9a-f]{16}@example\.com", email) and others == ["T***", 20]


async def test_style_studio_tables_have_documented_values(db: Database, make: Make, reporting: psycopg.Connection) -> None:
    account = await make.account(tokens=0)
    other = await make.account()
    async with db.tx() as tx:
        ada = account.id
        await wallet.grant(tx, ada, Asset.TOKEN, 50, source="purchase", key="one")
        await wallet.grant(tx, ada, Asset.TOKEN, 7, source="gift", key="two")
        await tx.connection.execute(
            "insert into accounts.identities (issuer, subject, account_id, id, provider) "
            "values ('https://idp.example.com', 'sub-1', %s, gen_random_uuid(), 'cognito')", (ada,))  # fmt: skip
        for number, (status, kind) in enumerate(
            [("pending", "tokens"), ("expired", "tokens"), ("cancelled", "tokens"), ("pending", "order")]
        ):
            await tx.connection.execute(
                "insert into payments.payments (account_id, id, kind, status, gateway, quantity, amount, currency, description, "
                "expires_at, track_id) values (%s, gen_random_uuid(), %s, %s, 'stripe', 50, 499, 'USD', 'x', now(), %s)",
                (ada, kind, status, f"t{number}"))  # fmt: skip
        await tx.connection.execute(
            "select payments.settle(account_id, id, 'pi_1', null) from payments.payments where track_id = 't0'")  # fmt: skip
    columns = '"externalId", tokens, "tokenBalance", "totalTokensPurchased"'
    users = {row[0]: row[1:] for row in reporting.execute(f"select _id, {columns} from doc_style_studio.users")}
    assert users[ada] == ("sub-1", 57, 57, 50) and users[other.id] == (None, 20, 20, 0)
    columns = '"transactionId", amount, tokens, status, "stripePaymentIntentId"'
    bought = reporting.execute(f'select {columns} from doc_style_studio."tokenPurchases" order by 1')
    assert bought.fetchall() == [
        ("t0", 499, 50, "completed", "pi_1"), ("t1", 499, 50, "failed", None), ("t2", 499, 50, "failed", None)]  # fmt: skip
    actions = reporting.execute('select distinct action, "userId" from doc_style_studio.usage').fetchall()
    assert all(isinstance(name, str) for name, _ in actions)


async def test_deleted_customers_are_hidden_and_fetched_ones_have_no_event(db: Database, reporting: psycopg.Connection) -> None:
    one = sample.customer(1, AT)
    await ingest(db, [made(one, "2026-02-01")])
    cursor = reporting.execute("select stripe_updated_at, last_webhook_event_id from doc_cogento.users")
    assert [(moment.timestamp(), messages[:8]) for moment, messages in cursor] == [(AT, "evt_samp")]
    await ingest(db, [{**changed(one, "2026-02-02"), "type": "customer.deleted"}])
    assert reporting.execute("select count(*) from doc_cogento.users").fetchone() == (0,)


def test_everything_documented_holds(owner: str, reporting: psycopg.Connection) -> None:
    result = examine(owner, reporting.info.dsn + " password=test", documents())
    assert {item.system: item.wrong for item in result} == {"ai-stayler": [], "cogento": [], "gallery": [], "style-studio": []}
    assert {item.system: len([one for one in item.outcomes if one.thing.startswith("doc_")]) for item in result} == {
        "cogento": 23, "gallery": 81, "style-studio": 32, "ai-stayler": 126}  # fmt: skip


@pytest.mark.parametrize(
    ("planted", "messages"),
    [
        ('alter view doc_style_studio.generations rename column "resultImageFiles" to results',
         ["generations.resultImageFiles: ", "query: generation with its images", "generations.results: is in no document"]),
        ("revoke select on doc_cogento.users from vetrina_reporting", ["users.user_id: permission denied"] + ["users."] * 10),
        ("create view doc_cogento.extra as select 1 as one; grant select on doc_cogento.extra to vetrina_reporting",
         ["doc_cogento.extra.one: is in no document"]),
    ],
)  # fmt: skip
def test_missing_columns_are_reported(owner: str, reporting: psycopg.Connection, planted: str, messages: list[str]) -> None:
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(planted.encode())
    result = examine(owner, reporting.info.dsn + " password=test", documents())
    wrong = [item for conformity in result for item in conformity.wrong]
    assert len(wrong) == len(messages), wrong
    assert all(part in text for part, text in zip(messages, wrong, strict=True)), wrong


def test_proofs_leave_no_trace(owner: str, reporting: psycopg.Connection) -> None:
    tables = ("accounts.accounts", "stripe_mirror.customers", "payments.payments", "media.files", "core.audit_logs", "core.usage")
    with psycopg.connect(owner, autocommit=True) as connection:
        counts = f"select {', '.join(f'(select count(*) from {table})' for table in tables)}"
        before = connection.execute(counts.encode()).fetchone()
        examine(owner, reporting.info.dsn + " password=test", documents())
        assert connection.execute(counts.encode()).fetchone() == before


def test_column_of_another_type_does_not_conform(reporting: psycopg.Connection) -> None:
    assert conforms("any[]", "uuid[]") and not conforms("any[]", "uuid")
    assert conforms("character varying", "character varying") and not conforms("character varying", "text")
    views = {path.stem.partition("_")[2] for path in (ROOT / "migrations").glob("*_doc_*")}
    assert {document.schema for document in documents()} == views


@pytest.mark.parametrize("command", [
    "insert into doc_cogento.users (synced_at) values (now())", "delete from doc_style_studio.usage",
    "update doc_cogento.subscriptions set synced_at = now()", "create table doc_cogento.mine (n integer)",
    "create view doc_cogento.mine as select 1", "create schema mine", "create temporary table mine (n integer)",
    "select * from stripe_mirror.customers", "select * from accounts.accounts", "select * from core.settings",
    "select * from reports.states", "select * from public.procrastinate_jobs",
    "select stripe_mirror.ingest_events('[]', '{}', '{}')",
    "select reports.refresh(true)", "select pg_read_file('/etc/hostname')", "copy (select 1) to program 'true'",
    "select * from pg_authid", "alter role vetrina_reporting superuser",
])  # fmt: skip
def test_reporting_role_reads_only_documented_views(reporting: psycopg.Connection, command: str) -> None:
    # A session can turn the read-only setting off; missing privileges must refuse the write.
    for read_only in ("on", "off"):
        reporting.execute(f"set default_transaction_read_only = {read_only}".encode())
        if "temporary" in command and read_only == "off":
            continue  # temporary, private to the session
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction,
                            psycopg.errors.ObjectNotInPrerequisiteState)) as refused:  # fmt: skip
            reporting.execute(command.encode())
        if read_only == "off":
            assert not isinstance(refused.value, psycopg.errors.ReadOnlySqlTransaction)
