"""Stored images: bytes before rows, nothing stored after a refusal, everything deleted after a deletion."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from tests.factories import Make
from tests.media.processing import bad_files as corpus
from tests.media.storage_helpers import jobs_run, stored
from vetrina.core.database.connection import Database
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.errors import Busy, NotFound, Refusal, Unavailable
from vetrina.core.services import Services
from vetrina.core.storage.store import StorageUnavailable
from vetrina.media import links
from vetrina.media.files import actions
from vetrina.media.model import DamagedImage, InvalidDimensions, UnknownCategory


async def test_prepared_image_becomes_a_file_without_metadata(services: Services, make: Make):
    account = await make.account()
    prepared = await actions.prepare(services, account.id, corpus.oriented(6))
    async with services.db.tx() as tx:
        row = await actions.insert(
            tx, account.id, prepared, "generated_image", "Ocean.jpg", metadata={"generation_id": str(new_id())}
        )
    assert (row.width, row.height, row.mime, row.is_public) == (400, 300, "image/jpeg", False)
    data = await actions.read(services, account.id, row.id)
    assert len(data) == row.bytes
    for word in corpus.GPS_WORDS:
        assert word not in data
    assert await stored(services) == {f"{account.id}/{row.id}/{item}" for item in ("original", "320", "640", "1280")}


async def test_deleted_orphan_leaves_no_bytes(services: Services, make: Make):
    account = await make.account()
    prepared = await actions.prepare(services, account.id, corpus.photograph(800, 600))
    assert len(await stored(services)) == 4
    await actions.delete_orphan(services, prepared)
    await actions.delete_orphan(services, prepared)
    assert await stored(services) == set()


async def test_failed_insert_deletes_the_bytes(services: Services, make: Make):
    nobody = AccountId(new_id())

    async def read() -> bytes:
        return corpus.photograph(800, 600)

    with pytest.raises(Exception, match="daily_uploads_belong_to_account"):
        await actions.upload(services, nobody, read, category="profile_image", file_name="cup.jpg")
    assert await stored(services) == set()


async def test_failed_thumbnail_deletes_the_original(services: Services, make: Make, monkeypatch: pytest.MonkeyPatch):
    account = await make.account()
    put = services.storage.put

    async def full(key: str, data: bytes, mime: str) -> None:
        if key.endswith("/640"):
            raise StorageUnavailable("no space left on device")
        await put(key, data, mime)

    monkeypatch.setattr(services.storage, "put", full)
    with pytest.raises(Unavailable):
        await actions.prepare(services, account.id, corpus.photograph(800, 600))
    assert await stored(services) == set()


@pytest.mark.parametrize(
    ("make_bytes", "refusal"), [(corpus.png_400_megapixels, InvalidDimensions), (corpus.truncated_jpeg, DamagedImage)]
)
async def test_engine_output_is_checked_like_an_upload(
    services: Services, make: Make, make_bytes: Callable[[], bytes], refusal: type[Refusal]
):
    account = await make.account()
    with pytest.raises(refusal):
        await actions.prepare(services, account.id, make_bytes())
    assert await stored(services) == set()


async def test_upload_as_generated_image_is_refused(services: Services, make: Make):
    account = await make.account()

    async def read() -> bytes:
        raise AssertionError("not even read")

    with pytest.raises(UnknownCategory):
        await actions.upload(services, account.id, read, category="generated_image", file_name="x.jpg")


async def test_third_concurrent_upload_is_refused_as_busy(services: Services, make: Make):
    accounts = [await make.account() for _ in range(3)]
    gate, inside = asyncio.Event(), 0

    async def slow() -> bytes:
        nonlocal inside
        inside += 1
        await gate.wait()
        return corpus.photograph(400, 300)

    first = [
        asyncio.create_task(actions.upload(services, account.id, slow, category="product_image", file_name="cup.jpg", timeout=5))
        for account in accounts[:2]
    ]
    while inside < 2:
        await asyncio.sleep(0.01)
    with pytest.raises(Busy):
        await actions.upload(services, accounts[2].id, slow, category="product_image", file_name="3.jpg", timeout=0.05)
    assert inside == 2
    gate.set()
    await asyncio.gather(*first)


async def test_job_deletes_the_bytes_of_a_deleted_row(services: Services, db: Database, make: Make, worker: Services):
    account, stranger = await make.account(), await make.account()
    prepared = await actions.prepare(services, account.id, corpus.photograph(800, 600))
    async with db.tx() as tx:
        await actions.insert(tx, account.id, prepared, "product_image", "cup.jpg")
    async with db.tx() as tx:
        assert await actions.delete(tx, stranger.id, [prepared.id]) == 0
    assert len(await stored(services)) == 4
    async with db.tx() as tx:
        assert await actions.delete(tx, account.id, [prepared.id, new_id()]) == 1
    await jobs_run(db)
    assert await stored(services) == set()
    with pytest.raises(NotFound):
        await actions.read(services, account.id, prepared.id)


async def test_database_facts_and_row_give_the_same_links(services: Services, make: Make):
    account = await make.account()
    prepared = await actions.prepare(services, account.id, corpus.photograph(800, 600))
    async with services.db.tx() as tx:
        row = await actions.insert(tx, account.id, prepared, "product_image", "cup.jpg", is_public=True)
        cursor = await tx.connection.execute("select media.facts(f) from media.files f where id = %s", (row.id,))
        result = await cursor.fetchone()
    assert result is not None
    facts = msgspec.convert(result[0], links.FileFacts)
    assert facts == row.facts()
    ref = links.ref(services, account.id, facts)
    assert ref.url == f"/media/{account.id}/{row.id}/original"
    assert (ref.thumbnail_url, ref.preview_url) == (f"/media/{account.id}/{row.id}/640", f"/media/{account.id}/{row.id}/1280")
