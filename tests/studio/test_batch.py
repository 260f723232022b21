"""A batch of starts is one statement, and each of its items is decided as if it stood alone."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.factories import Account, Make
from vetrina.core.database.ids import new_id
from vetrina.core.services import Services
from vetrina.studio import queries
from vetrina.studio.model import PromptTooLong

FILE = """
insert into media.files (account_id, id, category, file_name, storage_key, sha256, mime, bytes, width, height, colour)
values (%s, %s, %s, 'a.jpg', %s, '', 'image/jpeg', 1, 1, 1, '#000000')
"""
GRANT = "select wallet.grant_credits(%s, 'token', %s, 'gift', %s, %s, null)"


async def picture(services: Services, account: Account, category: str = "product_image") -> UUID:
    """A file's row, without bytes."""
    file = new_id()
    async with services.db.tx() as tx:
        await tx.connection.execute(FILE, (account.id, file, category, str(file)))
    return file


def item(account: Account, file: UUID, **changes: Any) -> dict[str, Any]:
    """What the application sends for one start."""
    return {
        "account_id": str(account.id),
        "id": str(new_id()),
        "session_id": str(account.session_id),
        "style_name": "watercolour",
        "prompt": "",
        "parameters": {},
        "seed": 1,
        "charge": "token",
        "product_files": [str(file)],
        **changes,
    }


async def start(services: Services, *items: dict[str, Any]) -> list[dict[str, Any]]:
    """The answers of one batch."""
    async with services.db.read() as tx:
        return [json.loads(row) for row in await tx.fetch_all(queries.START, items=json.dumps(items))]


def told(answers: list[dict[str, Any]]) -> list[str]:
    """The outcome or refusal of each."""
    return [answer.get("outcome") or answer["refused"] for answer in answers]


async def test_batch_items_are_independent_and_results_keep_their_order(services: Services, make: Make) -> None:
    rich, poor = await make.account(tokens=9), await make.account(tokens=0)
    file, others = await picture(services, rich), await picture(services, poor)
    model = await picture(services, rich, "model_image")
    good = item(rich, file, model_files=[str(model)])
    answers = await start(
        services,
        item(poor, others),
        good,
        item(rich, file, style_name="nonsense"),
        item(rich, others),
        item(rich, model),
        item(rich, file, session_id=str(new_id())),
        item(rich, file, charge="conversion"),
    )
    assert told(answers) == [
        "insufficient-credits",
        "created",
        "unknown-style",
        "file-not-found",
        "wrong-category",
        "unauthenticated",
        "created",
    ]
    assert answers[0] == {"refused": "insufficient-credits", "asset": "token", "cost": 1, "balance": 0}
    assert answers[1]["id"] == good["id"]
    assert [(entry["role"], entry["file"]["id"]) for entry in answers[1]["files"]] == [
        ("model", str(model)),
        ("product", str(file)),
    ]
    assert await make.balance(rich) == (8, 1)
    async with services.db.read() as tx:
        rows = await (
            await tx.connection.execute(
                "select (select count(*) from studio.generations), (select count(*) from studio.generation_files),"
                " (select count(*) from procrastinate_jobs), (select count(*) from core.usage),"
                " (select count(*) from wallet.holds where asset <> 'image_slot')"
            )
        ).fetchone()
    assert rows == (2, 3, 2, 2, 2)
    await make.books()


async def test_account_cannot_overspend_within_a_batch(services: Services, make: Make) -> None:
    account, other = await make.account(tokens=3), await make.account(tokens=1)
    file, others = await picture(services, account), await picture(services, other)
    answers = await start(services, *(item(account, file) for _ in range(5)), item(other, others), item(other, others))
    assert told(answers) == ["created"] * 3 + ["insufficient-credits"] * 2 + ["created", "insufficient-credits"]
    assert await make.balance(account) == (0, 3)
    await make.books()


async def test_grants_are_spent_soonest_expiring_first_across_a_batch(services: Services, make: Make, owner: str) -> None:
    account = await make.account(tokens=2)  # without an end: spent last
    file = await picture(services, account)
    async with services.db.tx() as tx:
        for key, days in (("later", 9), ("soon", 1), ("gone", 1)):
            await tx.connection.execute(
                "select wallet.grant_credits(%s, 'token', 2, 'gift', %s, now() + make_interval(days => %s), null)",
                (account.id, key, days),
            )
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("update wallet.grants set expires_at = now() - interval '1 hour' where key = 'gone'")
    answers = await start(services, *(item(account, file) for _ in range(7)))
    assert told(answers) == ["created"] * 6 + ["insufficient-credits"]
    async with services.db.read() as tx:
        spent = await (
            await tx.connection.execute(
                "select g.key from wallet.entries e join wallet.grants g on g.account_id = e.account_id and g.id = e.grant_id"
                " where e.account_id = %s and e.asset = 'token' and e.quantity < 0 order by e.position",
                (account.id,),
            )
        ).fetchall()
    assert [row[0] for row in spent] == ["gone", "soon", "soon", "later", "later", "test", "test"]
    await make.books()


async def test_a_charge_that_spans_grants_is_taken_in_parts(services: Services, make: Make, owner: str) -> None:
    account = await make.account(tokens=2)
    file = await picture(services, account)
    async with services.db.tx() as tx:
        await tx.connection.execute(GRANT, (account.id, 3, "second", None))
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("update studio.styles set cost = 4 where name = 'watercolour'")
    answers = await start(services, item(account, file), item(account, file))
    assert told(answers) == ["created", "insufficient-credits"]
    assert answers[1]["cost"] == 4 and answers[1]["balance"] == 1
    await make.books()


async def test_one_key_twice_in_a_batch_is_one_generation(services: Services, make: Make) -> None:
    account, poor = await make.account(tokens=5), await make.account(tokens=0)
    file, others = await picture(services, account), await picture(services, poor)
    key = {"key": "k", "request_hash": "00"}
    answers = await start(
        services,
        item(account, file, **key),
        item(account, file, **key),
        item(account, file, key="k", request_hash="01"),
        item(poor, others, **key),
        item(poor, others, **key),
    )
    assert told(answers) == ["created", "replayed", "key-reused", "insufficient-credits", "insufficient-credits"]
    assert answers[0]["id"] == answers[1]["id"]
    again = await start(services, item(account, file, **key), item(poor, others, **key))
    assert told(again) == ["replayed", "insufficient-credits"]
    assert await make.balance(account) == (4, 1)
    await make.books()


async def test_one_that_cannot_be_written_takes_the_batch_back(services: Services, make: Make) -> None:
    account = await make.account(tokens=5)
    file = await picture(services, account)
    with pytest.raises(PromptTooLong):
        await start(services, item(account, file), item(account, file, prompt="x" * 1001))
    assert await make.balance(account) == (5, 0)
    assert await start(services) == []


async def test_batches_that_race_over_the_same_accounts_all_come_through(services: Services, make: Make) -> None:
    accounts = [await make.account(tokens=8) for _ in range(6)]
    files = [await picture(services, entry) for entry in accounts]
    pairs = sorted(zip(accounts, files, strict=True), key=lambda pair: pair[0].id.bytes)

    async def batch() -> list[dict[str, Any]]:
        return await start(services, *(item(account, file) for account, file in pairs for _ in range(2)))

    answers = [entry for batch in await asyncio.gather(*(batch() for _ in range(8))) for entry in batch]
    assert told(answers).count("created") == 48 and told(answers).count("insufficient-credits") == 48
    assert [await make.balance(entry) for entry in accounts] == [(0, 8)] * 6
    await make.books()
