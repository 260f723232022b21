"""Batches: all of it or none, in one statement; each generation with its own charge and refund."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import psycopg
import pytest

from tests.factories import Account, Make, race
from tests.server import Site
from tests.studio.helpers import QUICK, ended, upload
from tests.studio.test_batch import item, picture
from vetrina.core.database.ids import new_id
from vetrina.core.services import Services
from vetrina.studio.styles.catalogue import Catalogue

COUNTS = """
select (select count(*) from studio.generations), (select count(*) from studio.batches),
       (select count(*) from studio.batch_items), (select count(*) from wallet.holds where asset <> 'image_slot'),
       (select count(*) from procrastinate_jobs where task_name = 'studio.generate'),
       (select count(*) from core.usage where action = 'generation_started')
"""


async def counts(services: Services) -> tuple[int, ...]:
    """(generations, batches, items, holds, jobs, usage records) in the database."""
    async with services.db.read() as tx:
        row = await (await tx.connection.execute(COUNTS)).fetchone()
    assert row
    return tuple(row)


def seeds(product: str, count: int, **changes: Any) -> dict[str, Any]:
    """A batch of variations."""
    return {
        "kind": "seeds",
        "style_name": "watercolour",
        "product_files": [product],
        "count": count,
        "parameters": QUICK,
        **changes,
    }


async def test_variations_differ_by_seed_alone_and_keep_their_order(site: Site, make: Make) -> None:
    account = await make.account(tokens=9)
    async with site.api(account) as api:
        product = await upload(api)
        quote = (await api.post("/batches/quote", json=seeds(product, 3, seed=10))).json()
        assert quote == {"count": 3, "asset": "token", "total": 3, "balance": 9, "balance_after": 6, "affordable": 3}
        answer = await api.post("/batches", json=seeds(product, 3, seed=10, total=3))
        assert answer.status_code == 201, answer.text
        batch = answer.json()
        assert [row["seed"] for row in batch["items"]] == [10, 11, 12] and batch["total"] == 3 and batch["refunded"] == 0
        assert {row["batch_id"] for row in batch["items"]} == {batch["id"]}
        read = (await api.get(f"/batches/{batch['id']}")).json()
        assert [row["id"] for row in read["items"]] == [row["id"] for row in batch["items"]]
        assert [row["queue_position"] for row in read["items"]] == [1, 2, 3]
        history = (await api.get("/generations")).json()["items"]
        assert [row["id"] for row in reversed(history)] == [row["id"] for row in batch["items"]]
    assert await make.balance(account) == (6, 3)
    assert await counts(site.services) == (3, 1, 3, 3, 3, 3)
    await make.books()


async def test_examples_of_the_api_are_valid_and_in_the_document(site: Site, make: Make) -> None:
    document = (await site.client.get("/api/docs/openapi.json")).json()
    body = document["paths"]["/api/v1/batches"]["post"]["requestBody"]["content"]["application/json"]
    values = body["schema"]["examples"]
    assert [batch["kind"] for batch in values] == ["seeds", "pictures", "styles"]
    page = (await site.client.get("/api/docs")).text
    assert "affordable" in page and "product_files" in page[page.index("/api/v1/batches") :][:6000]
    account = await make.account(tokens=9)
    async with site.api(account) as api:
        files = [await upload(api), await upload(api, photo="cat")]
        for batch in values:
            answer = await api.post("/batches/quote", json={**batch, "product_files": files[: len(batch["product_files"])]})
            assert answer.status_code == 200 and answer.json()["total"] == batch.get("total", answer.json()["total"]), answer.text


async def test_batches_of_pictures_and_of_all_styles_that_fit(site: Site, make: Make) -> None:
    account = await make.account(tokens=80)
    async with site.api(account) as api:
        files = [await upload(api), await upload(api, photo="cat"), await upload(api, photo="room")]
        pictures = (await api.post("/batches", json={"kind": "pictures", "style_name": "oil", "product_files": files})).json()
        assert [[file["id"] for file in row["product_files"]] for row in pictures["items"]] == [[file] for file in files]
        sheet = {"kind": "styles", "product_files": files[:1], "style_name": "oil", "parameters": QUICK, "seed": 4}
        every = (await api.post("/batches", json=sheet)).json()
        styles = site.services.get(Catalogue).styles.values()
        assert [row["style_name"] for row in every["items"]] == [style.name for style in styles if not style.needs_model]
        assert {row["seed"] for row in every["items"]} == {4}
        assert {row["parameters"]["size"] for row in every["items"] if row["style_name"] == "oil"} == {480}
        chosen = (await api.post("/batches", json={**sheet, "styles": ["comic", "oil"]})).json()
        assert [row["style_name"] for row in chosen["items"]] == ["comic", "oil"]
    await make.books()


@pytest.mark.parametrize(
    ("changes", "status", "kind"),
    [
        ({"count": 0}, 422, "invalid-batch"),
        ({"count": 65}, 422, "invalid-batch"),
        ({"kind": "pictures", "product_files": []}, 422, "invalid-batch"),
        ({"kind": "styles", "styles": ["oil", "no_such"]}, 422, "unknown-style"),
        ({"style_name": "no_such"}, 422, "unknown-style"),
        ({"parameters": {"brush": 99}}, 422, "invalid-parameters"),
        ({"product_files": [str(new_id())]}, 422, "file-not-found"),
        ({"total": 2}, 409, "price-changed"),
        ({"seed": -1}, 422, "invalid"),
        ({"seed": 2**53}, 422, "invalid"),
        ({"seed": 2**70}, 422, "invalid"),
    ],
)
async def test_invalid_batch_starts_nothing(site: Site, make: Make, changes: dict[str, Any], status: int, kind: str) -> None:
    account = await make.account(tokens=99)
    async with site.api(account) as api:
        product = await upload(api)
        refused = await api.post("/batches", json={**seeds(product, 3), **changes}, headers={"Idempotency-Key": "k"})
        assert refused.status_code == status and refused.json()["type"] == f"urn:vetrina:{kind}", refused.text
        assert await counts(site.services) == (0,) * 6 and await make.balance(account) == (99, 0)
        again = await api.post("/batches", json=seeds(product, 3), headers={"Idempotency-Key": "k"})
        assert again.status_code == 201, "a refused batch leaves its key free"


async def test_batch_that_the_balance_covers_in_part_is_refused_whole(site: Site, make: Make) -> None:
    account = await make.account(tokens=4)
    async with site.api(account) as api:
        product = await upload(api)
        refused = await api.post("/batches", json=seeds(product, 6), headers={"Idempotency-Key": "k"})
        assert refused.status_code == 402 and refused.json()["type"] == "urn:vetrina:insufficient-credits"
        problem = refused.json()
        assert (problem["affordable"], problem["count"], problem["cost"], problem["balance"]) == (4, 6, 6, 4)
        assert "enough for 4" in problem["detail"]
        assert await counts(site.services) == (0,) * 6 and await make.balance(account) == (4, 0)
        quote = (await api.post("/batches/quote", json=seeds(product, 6))).json()
        assert quote["affordable"] == 4 and quote["balance_after"] is None
        assert (await api.post("/batches", json=seeds(product, 4), headers={"Idempotency-Key": "k"})).status_code == 201
    await make.books()


async def test_batch_that_the_queue_takes_in_part_is_refused_whole(site: Site, make: Make, owner: str) -> None:
    account = await make.account(tokens=9)
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("update core.settings set value = '2' where key = 'studio.waiting_limit'")
    async with site.api(account) as api:
        product = await upload(api)
        refused = await api.post("/batches", json=seeds(product, 5))
        assert refused.status_code == 429 and refused.json()["affordable"] == 2
        assert (await api.post("/batches", json=seeds(product, 2))).status_code == 201


async def test_the_same_key_is_one_batch(site: Site, make: Make) -> None:
    account = await make.account(tokens=40)
    async with site.api(account) as api:
        product = await upload(api)
        key = {"Idempotency-Key": "one batch"}
        answers = await race(16, lambda: api.post("/batches", json=seeds(product, 2), headers=key))
        ids = [answer.json()["id"] for answer in answers if not isinstance(answer, BaseException) and answer.status_code == 201]
        assert ids and len(set(ids)) == 1
        again = await api.post("/batches", json=seeds(product, 2), headers=key)
        assert again.status_code == 201 and again.json()["id"] == ids[0] and len(again.json()["items"]) == 2
        other = await api.post("/batches", json=seeds(product, 3), headers=key)
        assert other.status_code == 422 and other.json()["type"] == "urn:vetrina:key-reused"
    assert await counts(site.services) == (2, 1, 2, 2, 2, 2)


async def test_64_batches_at_once_never_overspend(site: Site, make: Make) -> None:
    account = await make.account(tokens=10)
    async with site.api(account) as api:
        product = await upload(api)
        answers = await race(64, lambda: api.post("/batches", json=seeds(product, 3)))
        statuses = sorted(answer.status_code for answer in answers if not isinstance(answer, BaseException))
        assert statuses == [201] * 3 + [402] * 61
    assert await make.balance(account) == (1, 9)
    assert await counts(site.services) == (9, 3, 9, 9, 9, 9)
    await make.books()


def payload(account: Account, *items: dict[str, Any]) -> str:
    """What the application sends for a batch."""
    return json.dumps({"account_id": str(account.id), "id": str(new_id()), "kind": "seeds", "items": items})


async def test_connection_killed_in_the_middle_leaves_no_charge(services: Services, make: Make, owner: str) -> None:
    account = await make.account(tokens=9)
    file = await picture(services, account)
    sql = "select studio.start_batch(%s)"
    with psycopg.connect(owner) as blocker, psycopg.connect(owner, autocommit=True) as watcher:
        # The charges are written by then: what follows them waits for this lock.
        blocker.execute("lock table studio.batches in share mode")

        async def run() -> None:
            async with await psycopg.AsyncConnection.connect(owner, application_name="victim", autocommit=True) as victim:
                await victim.execute(sql, (payload(account, *(item(account, file) for _ in range(4))),))

        running = asyncio.create_task(run())
        waiting = "select pid from pg_stat_activity where application_name = 'victim' and wait_event_type = 'Lock'"
        async with asyncio.timeout(20):
            while (row := watcher.execute(waiting).fetchone()) is None:
                await asyncio.sleep(0.02)
        watcher.execute("select pg_terminate_backend(%s)", row)
        with pytest.raises(psycopg.OperationalError):
            await running
    assert await make.balance(account) == (9, 0)
    assert await counts(services) == (0,) * 6
    await make.books()


async def test_cancelling_all_refunds_what_has_not_ended(site: Site, make: Make) -> None:
    account, stranger = await make.account(tokens=9), await make.account()
    async with site.api(account) as api, site.api(stranger) as others:
        product = await upload(api)
        batch = (await api.post("/batches", json=seeds(product, 4))).json()
        assert (await api.post(f"/generations/{batch['items'][1]['id']}/cancellation")).status_code == 200
        assert (await others.post(f"/batches/{batch['id']}/cancellation")).status_code == 404
        cancelled = await api.post(f"/batches/{batch['id']}/cancellation")
        assert cancelled.status_code == 200 and {row["status"] for row in cancelled.json()["items"]} == {"cancelled"}
        assert cancelled.json()["refunded"] == 4
        assert (await api.post(f"/batches/{batch['id']}/cancellation")).status_code == 200
    assert await make.balance(account) == (9, 0)
    await make.books()


async def test_cancelling_all_while_workers_finish_settles_all_once(site: Site, worker: Services, make: Make) -> None:
    account = await make.account(tokens=12)
    async with site.api(account) as api:
        product = await upload(api)
        batches = [(await api.post("/batches", json=seeds(product, 4))).json() for _ in range(3)]
        await ended(api, batches[0]["items"][0]["id"])
        await race(6, lambda: api.post(f"/batches/{batches[1]['id']}/cancellation"))
        await race(6, lambda: api.post(f"/batches/{batches[0]['id']}/cancellation"))
        await asyncio.gather(*(ended(api, row["id"]) for batch in batches for row in batch["items"]))
        read = [(await api.get(f"/batches/{batch['id']}")).json() for batch in batches]
        completed = sum(row["status"] == "completed" for batch in read for row in batch["items"])
        assert completed >= 5 and sum(batch["refunded"] for batch in read) == 12 - completed
        assert all(row["result_files"] for batch in read for row in batch["items"] if row["status"] == "completed")
    assert await make.balance(account) == (12 - completed, 0)
    await make.books()


async def test_result_is_the_next_input(site: Site, worker: Services, make: Make) -> None:
    account, stranger = await make.account(tokens=5), await make.account(tokens=5)
    async with site.api(account) as api, site.api(stranger) as others:
        first = await ended(api, (await api.post("/batches", json=seeds(await upload(api), 1))).json()["items"][0]["id"])
        result = first["result_files"][0]["id"]
        for role in ("product_files", "model_files"):
            body = {"style_name": "comic", role: [result], "parameters": {"size": 480}}
            second = await api.post("/generations", json=body)
            assert second.status_code == 201, second.text
            assert [file["id"] for file in (await ended(api, second.json()["id"]))[role]] == [result]
        foreign = await others.post("/generations", json={"style_name": "comic", "product_files": [result]})
        assert foreign.status_code == 422 and foreign.json()["type"] == "urn:vetrina:file-not-found"


async def test_favourites_are_marked_and_listed(site: Site, make: Make) -> None:
    account, stranger = await make.account(tokens=5), await make.account()
    async with site.api(account) as api, site.api(stranger) as others:
        ids = [row["id"] for row in (await api.post("/batches", json=seeds(await upload(api), 3))).json()["items"]]
        for name in (ids[0], ids[2], ids[2]):
            assert (await api.put(f"/generations/{name}/favourite")).json()["is_favourite"]
        assert (await others.put(f"/generations/{ids[0]}/favourite")).status_code == 404
        listed = (await api.get("/generations", params={"favourites": True})).json()["items"]
        assert [row["id"] for row in listed] == [ids[2], ids[0]]
        assert not (await api.delete(f"/generations/{ids[2]}/favourite")).json()["is_favourite"]
        assert len((await api.get("/generations", params={"favourites": True})).json()["items"]) == 1
