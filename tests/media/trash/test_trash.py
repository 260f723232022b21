"""The trash: deleting, restoring, the job that empties it, what counts meanwhile, and all of these at once."""

from __future__ import annotations

from uuid import UUID

from tests.factories import Account, Make, race
from tests.media.delivery.test_delivery import kept
from tests.media.storage_helpers import jobs_run, stored
from tests.server import Site
from vetrina.accounts.storage import actions as storage
from vetrina.core.database.connection import Database
from vetrina.core.services import Services
from vetrina.media.files import actions as files
from vetrina.media.trash import actions, jobs


async def used(services: Services, account: Account) -> int:
    async with services.db.read() as tx:
        assert await files.faults(tx) == []
        return (await storage.use(tx, account.id)).used_bytes


async def age(services: Services, account: Account, days: int) -> None:
    """Move the account's deletions `days` into the past."""
    async with services.db.tx() as tx:
        await tx.connection.execute(
            "update media.stored_files set deleted_at = deleted_at - make_interval(days => %s)"
            " where account_id = %s and deleted_at is not null",
            (days, account.id),
        )


async def trash(services: Services, account: Account, *ids: UUID) -> None:
    async with services.db.tx() as tx:
        assert len(await actions.delete(tx, account.id, ids)) == len(ids)


async def test_deleted_file_counts_until_the_trash_is_emptied(site: Site, worker: Services, db: Database, make: Make):
    account, stranger = await make.account(), await make.account()
    row, other = await kept(site, account), await kept(site, account)
    before = await used(site.services, account)
    async with site.api(account) as api, site.api(stranger) as foreign:
        assert (await foreign.delete(f"/files/{row.id}")).status_code == 404
        assert (await api.delete(f"/files/trash/{row.id}")).status_code == 404, "only what is in the trash"
        assert (await api.post(f"/files/{row.id}/restoration")).status_code == 404
        assert (await api.delete(f"/files/{row.id}")).status_code == 204
        (item,) = (await api.get("/files/trash")).json()["items"]
        assert item["id"] == str(row.id) and item["erased_at"][:10] > item["deleted_at"][:10]
        assert (await api.get("/files/trash/usage")).json()["files"] == 1
        assert await used(site.services, account) == before
        assert (await foreign.post(f"/files/{row.id}/restoration")).status_code == 404
        assert (await foreign.delete(f"/files/trash/{row.id}")).status_code == 404
        assert (await foreign.delete("/files/trash")).status_code == 204
        restored = await api.post(f"/files/{row.id}/restoration")
        assert (restored.status_code, restored.json()["id"]) == (201, str(row.id))
        assert (await api.post(f"/files/{row.id}/restoration")).status_code == 404

        assert (await api.delete(f"/files/{row.id}")).status_code == 204
        assert (await api.delete("/files/trash")).status_code == 204
        assert (await api.get("/files/trash")).json()["items"] == []
        assert 0 < await used(site.services, account) < before
        assert [entry["id"] for entry in (await api.get("/files")).json()["items"]] == [str(other.id)]
    await jobs_run(db)
    assert {key.split("/")[1] for key in await stored(site.services)} == {str(other.id)}


async def test_the_job_deletes_what_is_older_than_the_setting(services: Services, site: Site, make: Make):
    account = await make.account()
    old, young, live = [await kept(site, account) for _ in range(3)]
    await trash(services, account, old.id)
    await age(services, account, 30)
    await trash(services, account, young.id)
    await age(services, account, 29)
    async with services.db.tx() as tx:
        assert len(await actions.restore(tx, account.id, [old.id])) == 1
    await jobs.empty_trash(services)
    async with site.api(account) as api:
        assert {item["id"] for item in (await api.get("/files/trash")).json()["items"]} == {str(young.id)}
        async with services.db.tx() as tx:
            await tx.connection.execute("update core.settings set value = '29' where key = 'media.trash_days'")
        await jobs.empty_trash(services)
        assert (await api.get("/files/trash")).json()["items"] == []
        assert {item["id"] for item in (await api.get("/files")).json()["items"]} == {str(old.id), str(live.id)}


async def test_restoring_while_the_job_empties_keeps_the_file_or_refuses(services: Services, site: Site, make: Make):
    account = await make.account()
    rows = [await kept(site, account) for _ in range(6)]
    await trash(services, account, *[row.id for row in rows])
    await age(services, account, 31)
    order = iter(range(24))

    async def act() -> list[UUID]:
        n = next(order)
        if n % 4 == 3:
            await jobs.empty_trash(services)
            return []
        async with services.db.tx() as tx:
            return [row.id for row in await actions.restore(tx, account.id, [rows[n % 6].id])]

    outcomes = await race(24, act)
    restored = [file for outcome in outcomes if isinstance(outcome, list) for file in outcome]
    assert all(isinstance(outcome, list) for outcome in outcomes), outcomes
    assert len(restored) == len(set(restored))
    async with site.api(account) as api:
        assert {item["id"] for item in (await api.get("/files")).json()["items"]} == {str(file) for file in restored}
        await jobs.empty_trash(services)
        assert (await api.get("/files/trash")).json()["items"] == []
    await used(services, account)


async def test_64_restorations_into_a_full_storage_count_nothing_twice(services: Services, site: Site, make: Make):
    account = await make.account()
    row = await kept(site, account)
    async with services.db.tx() as tx:
        await storage.set_limit(tx, account.id, 1)
    before = await used(services, account)
    await trash(services, account, row.id)

    async def restore() -> int:
        async with services.db.tx() as tx:
            return len(await actions.restore(tx, account.id, [row.id]))

    assert sorted(await race(64, restore), key=str) == [0] * 63 + [1], "one restores it; nothing is counted twice"
    assert await used(services, account) == before
