"""The storage limit of an account: exact under concurrency, counting every byte, with the figures in its refusal."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import psycopg

from tests.factories import Account, Make, race
from tests.media.processing import bad_files as corpus
from tests.media.storage_helpers import jobs_run
from tests.server import Site
from vetrina.accounts.privacy import exports
from vetrina.accounts.storage import actions as storage
from vetrina.accounts.storage.model import StorageFull
from vetrina.core.database.connection import Database
from vetrina.core.database.ids import new_id
from vetrina.core.services import Services
from vetrina.media.files import actions
from vetrina.media.files.jobs import measure_thumbnails
from vetrina.media.model import FileRow, Prepared

MB = 1_000_000


async def set_limit(services: Services, account: Account, megabytes: int | None) -> None:
    async with services.db.tx() as tx:
        await storage.set_limit(tx, account.id, megabytes)


async def used(services: Services, account: Account) -> int:
    async with services.db.read() as tx:
        return (await storage.use(tx, account.id)).used_bytes


async def insert(services: Services, account: Account, size: int) -> FileRow:
    """Insert the row of a file of `size` bytes, a tenth of them thumbnails, without storing any."""
    file_id = new_id()
    prepared = Prepared(
        account_id=account.id, id=file_id, storage_key=f"{account.id}/{file_id}", sha256=b"0" * 32, mime="image/jpeg",
        bytes=size - size // 10, width=100, height=100, colour="#ffffff", thumbnails={}, derived_bytes=size // 10,
    )  # fmt: skip
    async with services.db.tx() as tx:
        return await actions.insert(tx, account.id, prepared, "profile_image", "cup.jpg")


async def assert_counted(services: Services) -> None:
    async with services.db.read() as tx:
        assert await actions.faults(tx) == []


def on_disk(folder: Path) -> int:
    return sum((Path(parent) / name).stat().st_size for parent, _, names in os.walk(folder) for name in names)


async def test_64_uploads_at_once_for_the_last_megabytes_never_exceed_the_limit(services: Services, make: Make):
    account, stranger = await make.account(), await make.account()
    await set_limit(services, account, 10)
    await insert(services, account, 5 * MB)
    outcomes = await race(64, lambda: insert(services, account, MB))
    assert sum(isinstance(outcome, FileRow) for outcome in outcomes) == 5
    assert sum(isinstance(outcome, StorageFull) for outcome in outcomes) == 59
    assert await used(services, account) == 10 * MB
    await insert(services, stranger, MB)
    await assert_counted(services)


async def test_uploads_over_http_stop_at_the_limit_with_the_figures_and_leave_no_bytes(site: Site, make: Make):
    account = await make.account(confirmed=False)
    async with site.services.db.tx() as tx:
        await tx.connection.execute("update core.settings set value = '1' where key = 'storage.unconfirmed_mb'")
    picture = corpus.photograph(1600, 1200)
    async with site.api(account) as api:
        me = (await api.get("/me")).json()["storage"]
        assert me == {"used_bytes": 0, "limit_bytes": MB, "export_bytes": 0}

        async def send() -> int:
            form = {"category": "profile_image"}
            answer = await api.post("/files", files={"file": ("cup.jpg", picture, "image/jpeg")}, data=form)
            if answer.status_code == 409:
                body = answer.json()
                assert body["type"] == "urn:vetrina:storage-full"
                assert body["limit_bytes"] == MB and body["used_bytes"] <= MB < body["used_bytes"] + body["needed_bytes"]
                assert "of 1.0 MB are used" in body["detail"] and "Delete pictures" in body["detail"]
            return answer.status_code

        statuses = await asyncio.gather(*(send() for _ in range(8)))
        assert set(statuses) == {201, 409}
        count = statuses.count(201)
        me = (await api.get("/me")).json()["storage"]
        files = (await api.get("/files")).json()["items"]
        assert len(files) == count and me["used_bytes"] <= MB
        folder = site.services.settings.data / "files" / str(account.id)
        assert on_disk(folder) == me["used_bytes"], "originals and thumbnails, and nothing of the refused"
        # Deleting is a way out.
        assert (await api.delete(f"/files/{files[0]['id']}")).status_code == 204
        assert (await api.delete(f"/files/trash/{files[0]['id']}")).status_code == 204
        assert await send() == 201
    await assert_counted(site.services)


async def test_the_limit_depends_on_kind_confirmation_plan_and_operator(services: Services, make: Make):
    unconfirmed, person, business = (
        await make.account(confirmed=False), await make.account(), await make.account(kind="vendor"),
    )  # fmt: skip

    async def limit(account: Account) -> int | None:
        async with services.db.read() as tx:
            return (await storage.use(tx, account.id)).limit_bytes

    assert [await limit(account) for account in (unconfirmed, person, business)] == [50 * MB, 1000 * MB, 5000 * MB]
    async with services.db.tx() as tx:
        plan = "update wallet.memberships set plan_id = (select id from wallet.plans where name = %s) where account_id = %s"
        await tx.connection.execute(plan, ("advanced", person.id))
    assert await limit(person) == 20_000 * MB
    async with services.db.tx() as tx:
        await tx.connection.execute("update wallet.plans set storage_mb = 30000 where name = 'advanced'")
    assert await limit(person) == 30_000 * MB
    async with services.db.tx() as tx:
        await tx.connection.execute(plan, ("free", person.id))
    assert await limit(person) == 1000 * MB
    await set_limit(services, person, 7)
    assert await limit(person) == 7 * MB
    await set_limit(services, person, 0)
    assert await limit(person) is None
    await insert(services, person, 2000 * MB)
    await set_limit(services, person, None)
    assert await limit(person) == 1000 * MB, "what is stored stays; nothing new is taken"
    assert isinstance((await race(1, lambda: insert(services, person, MB)))[0], StorageFull)


async def test_an_export_is_counted_replaces_the_older_one_and_can_be_deleted(
    site: Site, services: Services, make: Make, worker: Services, owner: str
):
    account = await make.account()
    async with site.api(account) as api:
        picture = {"file": ("cup.jpg", corpus.photograph(1600, 1200), "image/jpeg")}
        for _ in range(2):
            assert (await api.post("/files", files=picture, data={"category": "profile_image"})).status_code == 201
        pictures = await used(services, account)
        await set_limit(services, account, 1)
        assert (await api.post("/exports")).status_code == 202
        first = await ready(api)
        assert await used(services, account) == pictures + first["bytes"] > MB, "exports are not refused by the limit"
        assert (await api.post("/exports")).status_code == 202
        second = await ready(api, other_than=first["id"])
        assert [export["id"] for export in (await api.get("/exports")).json()["items"]] == [second["id"]]
        assert (await api.get(f"/exports/{first['id']}")).status_code == 404
        assert await used(services, account) == pictures + second["bytes"]
        refused = await api.post("/files", files=picture, data={"category": "profile_image"})
        assert refused.status_code == 409 and "an export" in refused.json()["detail"]
        assert (await api.delete(f"/exports/{second['id']}")).status_code == 204
        assert await used(services, account) == pictures
    async with asyncio.timeout(20):
        while on_disk(services.settings.data / "files") != pictures:
            await asyncio.sleep(0.1)
    with psycopg.connect(owner) as connection:
        count = connection.execute("select count(*) from accounts.exports").fetchone()
    assert count == (0,)
    await assert_counted(services)


async def ready(api, *, other_than: str = "") -> dict:
    async with asyncio.timeout(30):
        while True:
            for export in (await api.get("/exports")).json()["items"]:
                if export["status"] == "ready" and export["id"] != other_than:
                    return export
            await asyncio.sleep(0.1)


async def test_thumbnails_of_earlier_versions_are_measured_once(services: Services, make: Make, db: Database):
    account = await make.account()

    async def read() -> bytes:
        return corpus.photograph(800, 600)

    await actions.upload(services, account.id, read, category="profile_image", file_name="cup.jpg")
    stored = await used(services, account)
    async with db.tx() as tx:
        await tx.connection.execute("update media.files set derived_bytes = null")
    assert await used(services, account) < stored
    await measure_thumbnails(services)
    assert await used(services, account) == stored == on_disk(services.settings.data / "files")
    await assert_counted(services)


async def test_verify_finds_a_wrong_count(services: Services, make: Make, db: Database):
    account = await make.account()
    await insert(services, account, MB)
    async with db.tx() as tx:
        await tx.connection.execute("update accounts.storage set file_bytes = file_bytes + 1")
    async with db.read() as tx:
        (fault,) = await actions.faults(tx)
    assert (fault.account_id, fault.expected, fault.found) == (account.id, MB, MB + 1)


async def test_below_the_disk_reserve_uploads_and_exports_are_refused_in_words(site: Site, make: Make):
    account = await make.account()
    services = site.services
    picture = {"file": ("cup.jpg", corpus.photograph(400, 300), "image/jpeg")}
    services.settings = replace(services.settings, disk_reserve="900000TB")
    async with site.api(account) as api, site.browser(account) as browser:
        refused = await api.post("/files", files=picture, data={"category": "profile_image"})
        assert refused.status_code == 507 and "no room for new files" in refused.json()["detail"]
        assert (await api.post("/exports")).status_code == 507
        page = await browser.post("/library", files=picture, data={"category": "profile_image"})
        assert "no room for new files" in page.text
        assert (await site.client.get("/readyz")).status_code == 200, "the site stays ready"
        metrics = (await site.client.get("/metrics")).text
        assert "vetrina_disk_reserve_bytes 900000000000000000" in metrics and "vetrina_disk_free_bytes" in metrics
        services.settings = replace(services.settings, disk_reserve="0")
        assert (await api.post("/files", files=picture, data={"category": "profile_image"})).status_code == 201
    assert on_disk(services.settings.data / "files") == await used(services, account)


async def test_erasure_counts_back_to_nothing(services: Services, make: Make, worker: Services, db: Database):
    account = await make.account()
    for _ in range(3):
        await insert(services, account, MB)
    async with db.tx() as tx:
        await tx.connection.execute("delete from media.files where account_id = %s", (account.id,))
    assert await used(services, account) == 0
    await jobs_run(db)
    await assert_counted(services)


async def test_a_job_fails_the_export_when_the_disk_is_reserved(services: Services, make: Make):
    account = await make.account()
    async with services.db.tx() as tx:
        export = await exports.request_export(tx, services, account.id)
    services.settings = replace(services.settings, disk_reserve="900000TB")
    await exports.make(services, account.id, export)
    async with services.db.read() as tx:
        row = await (await tx.connection.execute("select status from accounts.exports where id = %s", (export,))).fetchone()
    assert row == ("failed",)
    assert not (services.settings.data / "files" / "exports").exists()
