"""Starting a generation: charged once, refused clearly, never half done."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import Account, Make, race
from tests.server import Site
from tests.studio.helpers import upload, wish

COUNTS = """
select (select count(*) from studio.generations), (select count(*) from wallet.holds where asset <> 'image_slot'),
       (select count(*) from procrastinate_jobs where task_name = 'studio.generate'),
       (select count(*) from core.usage where action = 'generation_started'), (select count(*) from core.idempotency_keys)
"""


async def counts(site: Site) -> tuple[int, ...]:
    """(generations, holds, jobs, usage records, keys) in the database."""
    async with site.services.db.read() as tx:
        row = await (await tx.connection.execute(COUNTS)).fetchone()
    assert row
    return tuple(row)


async def test_the_answer_is_the_generation(site: Site, make: Make) -> None:
    account = await make.account(tokens=5)
    async with site.api(account) as api:
        product = await upload(api)
        answer = await api.post("/generations", json=wish(product, prompt="A quiet morning", seed=7))
        assert answer.status_code == 201, answer.text
        body = answer.json()
        assert body["status"] == "pending" and body["cost"] == 1 and body["seed"] == 7 and body["prompt"] == "A quiet morning"
        assert [file["id"] for file in body["product_files"]] == [product]
        assert body["parameters"]["size"] == 480 and "wetness" in body["parameters"]
        again = (await api.get(f"/generations/{body['id']}")).json()
        assert {**again, "queue_position": None} == {**body, "queue_position": None}
        assert again["queue_position"] == 1
    assert await make.balance(account) == (4, 1)
    assert await counts(site) == (1, 1, 1, 1, 0)
    await make.books()


async def test_64_at_once_on_a_balance_for_one(site: Site, make: Make) -> None:
    account = await make.account(tokens=1)
    async with site.api(account) as api:
        product = await upload(api)
        answers = await race(64, lambda: api.post("/generations", json=wish(product)))
        statuses = [answer.status_code for answer in answers if not isinstance(answer, BaseException)]
        assert sorted(statuses) == [201] + [402] * 63
        refused = next(answer for answer in answers if not isinstance(answer, BaseException) and answer.status_code == 402)
        assert refused.headers["content-type"].startswith("application/problem+json")
        assert refused.json()["cost"] == 1 and refused.json()["balance"] == 0
    assert await make.balance(account) == (0, 1)
    assert (await counts(site))[:4] == (1, 1, 1, 1)
    await make.books()


async def test_the_same_key_twice_is_one_generation(site: Site, make: Make) -> None:
    account = await make.account(tokens=9)
    async with site.api(account) as api:
        product = await upload(api)
        key = {"Idempotency-Key": "one and the same"}
        first = await api.post("/generations", json=wish(product), headers=key)
        second = await api.post("/generations", json=wish(product), headers=key)
        assert (first.status_code, second.status_code) == (201, 201)
        assert first.json() == second.json()
        changed = await api.post("/generations", json=wish(product, prompt="other words"), headers=key)
        assert changed.status_code == 422 and changed.json()["type"] == "urn:vetrina:key-reused"
    assert (await counts(site))[:4] == (1, 1, 1, 1)


async def test_32_with_one_key_at_once_are_one_generation(site: Site, make: Make) -> None:
    account = await make.account(tokens=9)
    async with site.api(account) as api:
        product = await upload(api)
        key = {"Idempotency-Key": "k"}
        answers = await race(32, lambda: api.post("/generations", json=wish(product), headers=key))
        ids = {answer.json()["id"] for answer in answers if not isinstance(answer, BaseException) and answer.status_code == 201}
        others = {answer.status_code for answer in answers if not isinstance(answer, BaseException)} - {201}
        assert len(ids) == 1 and others <= {409}
    assert (await counts(site))[:4] == (1, 1, 1, 1)
    await make.books()


async def test_idempotency_key_of_a_refused_request_is_reusable(site: Site, make: Make) -> None:
    account = await make.account(tokens=0)
    async with site.api(account) as api:
        product = await upload(api)
        key = {"Idempotency-Key": "k"}
        assert (await api.post("/generations", json=wish(product), headers=key)).status_code == 402
        assert await counts(site) == (0, 0, 0, 0, 0)
        async with site.services.db.tx() as tx:
            await tx.connection.execute("select wallet.grant_credits(%s, 'token', 1, 'gift', 'g', null, null)", (account.id,))
        assert (await api.post("/generations", json=wish(product), headers=key)).status_code == 201


BAD: dict[str, tuple[dict[str, Any], int]] = {
    "unknown style": ({"style_name": "nonsense"}, 422),
    "no style": ({"style_name": None}, 422),
    "no picture": ({"product_files": []}, 422),
    "a style that needs two": ({"style_name": "studio_composite", "parameters": {}}, 422),
    "parameter out of range": ({"parameters": {"wetness": 7}}, 422),
    "parameter of the wrong type": ({"parameters": {"wetness": "very"}}, 422),
    "unknown parameter": ({"parameters": {"nonsense": 1}}, 422),
    "prompt too long": ({"prompt": "x" * 1001}, 422),
    "prompt with a zero byte": ({"prompt": "a\0b"}, 422),
    "prompt of the wrong type": ({"prompt": 5}, 422),
    "seed below zero": ({"seed": -1}, 422),
    "seed too large": ({"seed": 2**63}, 422),
    "too many pictures": ({"product_files": ["00000000-0000-7000-8000-000000000000"] * 5}, 422),
    "a file that is not there": ({"product_files": ["00000000-0000-7000-8000-000000000000"]}, 422),
    "not an id": ({"product_files": ["mine"]}, 422),
    "unknown field": ({"nonsense": 1}, 422),
    "unknown asset": ({"asset": "gold"}, 422),
}


@pytest.mark.parametrize("name", BAD)
async def test_bad_input_is_refused_without_a_row(site: Site, make: Make, name: str) -> None:
    account = await make.account(tokens=5)
    changes, status = BAD[name]
    async with site.api(account) as api:
        product = await upload(api)
        answer = await api.post("/generations", json=wish(product, **changes), headers={"Idempotency-Key": "k"})
        assert answer.status_code == status, answer.text
        problem = answer.json()
        assert problem["status"] == status and len(problem["detail"]) > 10
    assert await counts(site) == (0, 0, 0, 0, 0)
    assert await make.balance(account) == (5, 0)


async def test_malformed_json_is_refused(site: Site, make: Make) -> None:
    account = await make.account(tokens=5)
    async with site.api(account) as api:
        answer = await api.post("/generations", content=b'{"style_name": ', headers={"Content-Type": "application/json"})
        assert answer.status_code == 400 and "JSON" in answer.json()["detail"]
    assert await counts(site) == (0, 0, 0, 0, 0)


async def test_anothers_file_and_the_wrong_category_are_refused(site: Site, make: Make) -> None:
    account, stranger = await make.account(tokens=5), await make.account(tokens=5)
    async with site.api(account) as api, site.api(stranger) as other:
        file = await upload(other)
        model = await upload(api, "model_image", "cat")
        refused = await api.post("/generations", json=wish(file))
        assert refused.status_code == 422 and refused.json()["type"] == "urn:vetrina:file-not-found"
        refused = await api.post("/generations", json=wish(model))
        assert refused.status_code == 422 and refused.json()["type"] == "urn:vetrina:wrong-category"
    assert await counts(site) == (0, 0, 0, 0, 0)


async def test_visitors_and_ended_sessions_are_refused(site: Site, make: Make) -> None:
    account = await make.account(tokens=5)
    async with site.api(account) as api:
        product = await upload(api)
        assert (await site.client.post("/api/v1/generations", json=wish(product))).status_code == 401
        await api.delete("/auth/session")
        # The access token itself lives on for minutes; what costs something asks for the session too.
        assert (await api.post("/generations", json=wish(product))).status_code == 401
    assert await counts(site) == (0, 0, 0, 0, 0)


async def test_a_stranger_finds_nothing(site: Site, make: Make) -> None:
    account, stranger = await make.account(tokens=5), await make.account(tokens=5)
    async with site.api(account) as api, site.api(stranger) as other:
        generation_id = (await api.post("/generations", json=wish(await upload(api)))).json()["id"]
        for method, path in (("GET", ""), ("GET", "/events"), ("POST", "/cancellation"), ("POST", "/retry")):
            assert (await other.request(method, f"/generations/{generation_id}{path}")).status_code == 404, path
        assert (await other.get("/generations")).json()["items"] == []


async def test_one_conversion_pays_for_any_style(site: Site, make: Make) -> None:
    account = await make.account(tokens=0)  # the free plan comes with two conversions
    async with site.api(account) as api:
        product = await upload(api)
        answers = [(await api.post("/generations", json=wish(product, asset="conversion"))).status_code for _ in range(3)]
        assert answers == [201, 201, 402]
    await make.books()


async def test_history_is_paged_and_filtered(site: Site, make: Make) -> None:
    account: Account = await make.account(tokens=9)
    async with site.api(account) as api:
        product = await upload(api)
        ids = [(await api.post("/generations", json=wish(product))).json()["id"] for _ in range(5)]
        await api.post(f"/generations/{ids[1]}/cancellation")
        seen: list[str] = []
        cursor: str | None = None
        while True:
            page = (await api.get("/generations", params={"limit": 2, **({"cursor": cursor} if cursor else {})})).json()
            seen += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert seen == ids[::-1]
        cancelled = (await api.get("/generations", params={"status": "cancelled"})).json()["items"]
        assert [item["id"] for item in cancelled] == [ids[1]]
        assert (await api.get("/generations", params={"status": "nonsense"})).status_code == 422
        assert (await api.get("/generations", params={"cursor": "nonsense"})).status_code == 422
