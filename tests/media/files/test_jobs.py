"""The sweep deletes what a crash left, and nothing else."""

from __future__ import annotations

import time
import uuid

import pytest

from tests.factories import Make
from tests.media.processing import bad_files as corpus
from tests.media.storage_helpers import stored
from vetrina.core.services import Services
from vetrina.media.files import actions, jobs


def id_of(seconds_ago: float) -> uuid.UUID:
    """Return a UUIDv7 created that many seconds ago."""
    moment = int((time.time() - seconds_ago) * 1000)
    return uuid.UUID(int=moment << 80 | 7 << 76 | 2 << 62 | uuid.uuid4().int & (1 << 62) - 1)


async def test_sweep_deletes_only_old_orphans(services: Services, make: Make, monkeypatch: pytest.MonkeyPatch):
    account = await make.account()
    prepared = await actions.prepare(services, account.id, corpus.photograph(400, 300))
    async with services.db.tx() as tx:
        await actions.insert(tx, account.id, prepared, "product_image", "cup.jpg")
        # as if uploaded yesterday
        old = id_of(86_400)
        await tx.connection.execute(
            "update media.files set id = %s, storage_key = %s where id = %s", (old, f"{account.id}/{old}", prepared.id)
        )
    live = {f"{account.id}/{old}/{variant}" for variant in ("original", "320")}
    young = {f"{account.id}/{id_of(600)}/original"}
    other = {"exports/2026/books.csv", f"{account.id}/notes/original", f"{account.id}/{uuid.uuid4()}/original"}
    orphans = {f"{account.id}/{id_of(7200 + n)}/{variant}" for n in range(5) for variant in ("original", "320", "640")}
    await actions.delete_orphan(services, prepared)
    for key in live | young | other | orphans:
        await services.storage.put(key, b"x", "image/jpeg")
    monkeypatch.setattr(jobs, "BATCH", 2)
    await jobs.sweep_orphans(services)
    assert await stored(services) == live | young | other
    await jobs.sweep_orphans(services)
    assert await stored(services) == live | young | other


async def test_erase_deletes_one_file_and_is_idempotent(services: Services, make: Make):
    account = await make.account()
    first = await actions.prepare(services, account.id, corpus.photograph(400, 300))
    second = await actions.prepare(services, account.id, corpus.photograph(400, 300))
    for _ in range(2):
        await jobs.erase(services, prefix=first.storage_key)
        assert await stored(services) == {f"{second.storage_key}/{item}" for item in ("original", *second.thumbnails)}


SOME = "0197a000-0000-7000-8000-000000000000"


@pytest.mark.parametrize("prefix", ["", "/", "..", "0" * 36, SOME, f"{SOME}/", f"{SOME}/{SOME}/", f"{SOME}/{SOME}/original"])
async def test_erase_refuses_other_prefixes(services: Services, prefix: str):
    await services.storage.put(f"{uuid.uuid4()}/{uuid.uuid4()}/original", b"x", "image/jpeg")
    with pytest.raises(ValueError, match="is not the prefix of one file"):
        await jobs.erase(services, prefix=prefix)
    assert len(await stored(services)) == 1
