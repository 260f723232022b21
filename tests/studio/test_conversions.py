"""Conversions: what pays, in which order, and what the answer says of it; the documented functions do the same."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.factories import Make
from tests.server import Site
from tests.studio.helpers import upload

DOC = "doc_ai_stayler"


def wish(file: str, **changes: Any) -> dict[str, Any]:
    return {"file_id": file, "style_name": "watercolour", "parameters": {"size": 480}, **changes}


async def test_free_then_plan_then_tokens_if_allowed(site: Site, make: Make, owner: str) -> None:
    account = await make.account(tokens=9)
    async with site.api(account) as api:
        file = await upload(api)
        answers = [(await api.post("/conversions", json=wish(file))) for _ in range(3)]
        assert [item.status_code for item in answers] == [201, 201, 402]
        first, second = (item.json() for item in answers[:2])
        assert (first["conversion"]["conversion_type"], first["conversion"]["paid_with"], first["remaining"]) == (
            "free",
            "free",
            1,
        )
        assert (second["conversion"]["paid_with"], second["remaining"]) == ("free", 0)
        refusal = answers[2].json()
        assert refusal["bucket"] == "conversion"
        assert refusal["resets_at"] == first["resets_at"]
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute(
                "select wallet.apply_paid_period(%s, id, 'test', price_per_month, currency) "
                "from wallet.plans where name = 'basic'",
                (account.id,),
            )
        bought = (await api.post("/conversions", json=wish(file, use_tokens=True))).json()
        assert (bought["conversion"]["conversion_type"], bought["conversion"]["paid_with"], bought["remaining"]) == (
            "paid",
            "plan",
            19,
        )
        for _ in range(19):
            assert (await api.post("/conversions", json=wish(file))).status_code == 201
        assert (await api.post("/conversions", json=wish(file))).status_code == 402
        headers = {"Idempotency-Key": "one"}
        with_tokens = await api.post("/conversions", json=wish(file, use_tokens=True), headers=headers)
        assert with_tokens.json()["conversion"]["paid_with"] == "tokens"
        again = await api.post("/conversions", json=wish(file, use_tokens=True), headers=headers)
        assert again.json()["conversion"]["id"] == with_tokens.json()["conversion"]["id"]
        listed = (await api.get("/conversions", params={"limit": 50})).json()["items"]
        assert [item["paid_with"] for item in listed] == ["tokens", *["plan"] * 20, *["free"] * 2]
        conversion = (await api.get(f"/conversions/{listed[-1]['id']}")).json()
        assert (conversion["status"], conversion["input"]["id"]) == ("pending", file)
    await make.books()


async def test_the_last_conversion_is_given_once(site: Site, make: Make) -> None:
    account = await make.account(tokens=0)
    async with site.api(account) as api:
        file = await upload(api)
        codes = await asyncio.gather(*(api.post("/conversions", json=wish(file)) for _ in range(8)))
        assert sorted(item.status_code for item in codes) == [201, 201, *[402] * 6]
    await make.books()


async def test_a_stranger_s_file_is_not_there(site: Site, make: Make) -> None:
    account, stranger = await make.account(tokens=1), await make.account(tokens=1)
    async with site.api(account) as api, site.api(stranger) as other:
        assert (await other.post("/conversions", json=wish(await upload(api)))).status_code == 404


async def test_the_documented_functions_enforce_in_plain_sql(site: Site, make: Make, owner: str) -> None:
    account, stranger = await make.account(tokens=0), await make.account(tokens=0)
    async with site.api(account) as api:
        file = await upload(api)
    url = f"/media/{account.id}/{file}/original"
    opened: psycopg.Connection[Any] = psycopg.connect(owner, autocommit=True, row_factory=cast(Any, dict_row))
    with opened as db:

        def call(function: str, *args: Any) -> Any:
            row = db.execute(f"select {DOC}.{function}({', '.join(['%s'] * len(args))}) as value".encode(), args).fetchone()
            assert row
            return row["value"]

        def refused(constraint: str, function: str, *args: Any) -> str:
            with pytest.raises(psycopg.errors.CheckViolation) as caught:
                call(function, *args)
            assert caught.value.diag.constraint_name == constraint
            return caught.value.diag.message_detail or ""

        assert call("can_user_convert", account.id, "free")
        assert not call("can_user_convert", account.id, "paid")
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            call("can_user_convert", account.id, "gift")
        refused("free_conversions_go_first", "record_conversion", account.id, "paid", url, "watercolour")
        refused("conversion_input_is_own_file", "record_conversion", stranger.id, "free", url, "watercolour")
        refused(
            "conversion_input_is_own_file", "record_conversion", account.id, "free", "https://other.example/a.jpg", "watercolour"
        )
        refused("unknown_style", "record_conversion", account.id, "free", url, "no such style")
        first = call("record_conversion", account.id, "free", url, "watercolour", "key")
        assert call("record_conversion", account.id, "free", url, "watercolour", "key") == first
        call("record_conversion", account.id, "free", f"https://site.example{url}?sig=1", "watercolour")
        assert not call("can_user_convert", account.id, "free")
        assert '"resets_at"' in refused("quota_used_up", "record_conversion", account.id, "free", url, "watercolour")
        status = db.execute(f"select * from {DOC}.get_user_quota_status(%s)".encode(), (account.id,)).fetchone()
        assert status
        assert (status["free_quota_remaining"], status["plan_name"], status["conversions_used"]) == (0, "free", 2)
        row = db.execute(f"select * from {DOC}.user_conversions where id = %s".encode(), (first,)).fetchone()
        assert row
        assert (row["conversion_type"], row["status"], row["input_file_url"]) == ("free", "pending", url)
        jobs = db.execute("select count(*) from procrastinate_jobs where task_name = 'studio.generate'").fetchone()
        assert jobs
        assert jobs["count"] == 2
        db.execute("update accounts.accounts set is_active = false where id = %s", (stranger.id,))
        assert not call("can_user_convert", stranger.id, "free")
        assert not call("can_user_convert", None, "free")
        assert call("get_system_stats")["conversions"] == {"pending": 2}
    await make.books()


async def test_a_recorded_image_holds_a_slot_until_its_bytes_come(site: Site, make: Make, owner: str) -> None:
    vendor = await make.account(kind="vendor", tokens=0)
    record = (
        f"select {DOC}.record_image_upload(%s, 'cup.jpg', 'https://shop.example/cup.jpg', 1000, 'image/jpeg', true, %s)".encode()
    )
    with psycopg.connect(owner, autocommit=True) as db:
        ids = [db.execute(record, (vendor.id, str(number))).fetchone() for number in range(10)]
        assert db.execute(record, (vendor.id, "0")).fetchone() == ids[0]
        with pytest.raises(psycopg.errors.CheckViolation) as caught:
            db.execute(record, (vendor.id, "eleventh"))
        assert caught.value.diag.constraint_name == "quota_used_up"
        assert db.execute(f"select {DOC}.can_vendor_upload_image(%s, true)".encode(), (vendor.id,)).fetchone() == (False,)
        async with site.api(vendor) as api:
            await upload(api, "album_image")  # fills the first of the ten
        assert db.execute("select count(*) from media.pending_uploads").fetchone() == (9,)
        db.execute("update media.pending_uploads set expires_at = now() - interval '1 second'")
        assert db.execute("delete from media.pending_uploads where expires_at <= now()").rowcount == 9
        row = db.execute(
            f"select free_gallery_remaining, images_used from {DOC}.get_vendor_quota_status(%s)".encode(), (vendor.id,)
        )
        assert row.fetchone() == (9, 1)
    await make.books()


def test_the_reporting_role_only_asks(database: str, owner: str) -> None:
    with psycopg.connect(owner, autocommit=True) as db:
        for function, expected in (("record_conversion", False), ("record_image_upload", False), ("can_user_convert", True)):
            rows = db.execute(
                "select has_function_privilege('vetrina_reporting', oid, 'execute'), "
                "has_function_privilege('vetrina_app', oid, 'execute') "
                "from pg_proc where proname = %s and pronamespace = %s::regnamespace",
                (function, DOC),
            ).fetchall()
            assert rows == [(expected, True)], function
