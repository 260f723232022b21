"""The daily number of uploads: counted by UTC day and account, never exceeded by uploads at once."""

from __future__ import annotations

from typing import Any

from tests.factories import Account, Make, race
from tests.server import Site
from vetrina.core.database.connection import Database
from vetrina.core.database.ids import AccountId
from vetrina.demo.photos import path_of
from vetrina.media.files import quota
from vetrina.media.model import DailyUploadsUsedUp


async def limit(db: Database, count: int) -> None:
    """Set the limit."""
    async with db.tx() as tx:
        await tx.connection.execute(
            "update core.settings set value = jsonb_set(value, '{count}', to_jsonb(%s::int)) where key = 'limits.daily_uploads'",
            (count,),
        )


async def upload(site: Site, account: Account) -> Any:
    """Upload a picture for a post."""
    async with site.api(account) as client:
        file = {"file": ("coffee.jpg", path_of("coffee").read_bytes(), "image/jpeg")}
        return await client.post("/files", data={"category": "post_image"}, files=file)


async def test_the_refusal_names_limit_and_reset(site: Site, make: Make) -> None:
    account = await make.account()
    await limit(site.services.db, 1)
    assert (await upload(site, account)).status_code == 201
    refused = await upload(site, account)
    assert refused.status_code == 429 and 0 < int(refused.headers["retry-after"]) <= 86401
    assert refused.json()["limit"] == 1 and refused.json()["resets_at"].endswith("T00:00:00+00:00")
    async with site.services.db.tx() as tx:  # a new day
        await tx.connection.execute("update media.daily_uploads set day = day - 1")
    assert (await upload(site, account)).status_code == 201


async def test_uploads_at_once_stop_at_the_limit(db: Database, make: Make) -> None:
    account = (await make.account()).id
    await limit(db, 10)

    async def take() -> None:
        async with db.tx() as tx:
            await quota.take(tx, AccountId(account), "post_image", account)

    outcomes = await race(64, take)
    assert [outcome for outcome in outcomes if outcome is None] == [None] * 10
    assert all(isinstance(outcome, DailyUploadsUsedUp) for outcome in outcomes if outcome is not None)
    await limit(db, 0)
    await take()  # a limit of 0 is none


async def test_post_pictures_take_no_slot_of_the_month(site: Site, make: Make) -> None:
    account = await make.account(tokens=0)
    assert [(await upload(site, account)).status_code for _ in range(6)] == [201] * 6
