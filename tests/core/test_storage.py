"""Storage: a bucket behind an http endpoint, one that hangs, and drafts of killed puts on disk."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.fakes.bucket import Bucket
from vetrina.core.files import sweep_work, work_folder
from vetrina.core.settings.environment import BadSetting
from vetrina.core.storage import buckets
from vetrina.core.storage.store import NotStored, Storage, StorageUnavailable, key_of


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    """Yield an S3-compatible server over plain HTTP."""
    with Bucket() as result:
        yield result


def of(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the variables of one provider only."""
    for name in [*os.environ]:
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


async def everything(storage: Storage) -> set[str]:
    """Return every key."""
    return {key async for key in storage.list("")}


async def test_a_bucket_behind_an_http_endpoint_keeps_files(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """9.F35: put, put of a file, read, read in part, list, delete."""
    of(bucket.environment, monkeypatch)
    storage = Storage.at(bucket.url, tmp_path)
    keys = [key_of(uuid4(), uuid4(), "original") for _ in range(3)]
    large = tmp_path / "large"
    large.write_bytes(bytes(range(256)) * 4 * 12_000)
    await storage.put(keys[0], b"some bytes", "text/plain")
    await storage.put(keys[1], b"", "text/plain")
    await storage.put_file(keys[2], large, "image/png")
    assert await everything(storage) == set(keys)
    assert await storage.get(keys[0]) == b"some bytes"
    stream = await storage.stream(keys[2])
    assert stream.size == large.stat().st_size
    assert b"".join([piece async for piece in stream.chunks]) == large.read_bytes()
    part = await storage.stream(keys[0], 5, 10)
    assert (part.size, b"".join([piece async for piece in part.chunks])) == (10, b"bytes")
    assert await storage.exists(keys[0])
    await storage.delete([keys[0], keys[1]])
    with pytest.raises(NotStored):
        await storage.get(keys[0])
    assert await everything(storage) == {keys[2]}
    assert await storage.sweep(0) == 0


async def test_environment_options_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """9.F35: `AWS_ALLOW_HTTP` and its like go along with the options of our own; an https endpoint allows no http."""
    of({"AWS_ALLOW_HTTP": "true", "AWS_PROXY_URL": "http://127.0.0.1:9"}, monkeypatch)
    assert buckets._environment("s3") == {"allow_http": True, "proxy_url": "http://127.0.0.1:9"}  # pyright: ignore
    of({"AWS_ENDPOINT_URL": "https://minio.example.com"}, monkeypatch)
    assert buckets._environment("s3") == {}  # pyright: ignore
    with pytest.raises(BadSetting, match="VETRINA_STORAGE_URL leads to no bucket"):
        buckets.connect("az://container")


async def test_hanging_bucket_times_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """9.F35: after the silence that is allowed, whatever is asked of it."""
    monkeypatch.setattr(buckets, "SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        of({"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}, monkeypatch)
        storage = Storage.at("s3://pictures", tmp_path)
        key = key_of(uuid4(), uuid4(), "original")
        for ask in (
            lambda: storage.put(key, b"x", "text/plain"),
            lambda: storage.get(key),
            lambda: storage.exists(key),
            lambda: storage.delete([key]),
        ):
            started = time.monotonic()
            with pytest.raises(StorageUnavailable):
                await ask()
            assert time.monotonic() - started < 3
    assert buckets.seconds_for(20 * 1024 * 1024) == 20.5


KILLED = """
import asyncio, sys
from pathlib import Path
from uuid import UUID
from vetrina.core.storage.store import Storage, key_of
async def main():
    storage = Storage.at("", Path(sys.argv[1]))
    key = key_of(UUID(sys.argv[2]), UUID(sys.argv[3]), "original")
    print("putting", flush=True)
    while True:
        await storage.put(key, b"x" * 30_000_000, "image/png")
asyncio.run(main())
"""


def kill_a_put(folder: Path, account: str, file: str) -> None:
    """Kill a process that writes the same key repeatedly, until it leaves a draft."""
    place = folder / account / file
    for _ in range(50):
        words = [sys.executable, "-c", KILLED, str(folder), account, file]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            until = time.monotonic() + 5
            while time.monotonic() < until and not list(place.glob("*#*")):
                time.sleep(0.001)
            process.send_signal(signal.SIGKILL)
        if list(place.glob("*#*")):
            return
    raise AssertionError("no put was killed in its middle")


async def test_leftovers_of_killed_puts_are_deleted_with_file_account_and_sweep(tmp_path: Path) -> None:
    """9.19b: the library lists and deletes no draft; the storage does, and leaves no empty folder behind."""
    folder = tmp_path / "files"
    storage = Storage.at("", folder)
    account, file, other = str(uuid4()), str(uuid4()), str(uuid4())

    kill_a_put(folder, account, file)
    await storage.delete([f"{account}/{file}/original"])
    assert list(folder.rglob("*")) == []

    kill_a_put(folder, account, file)
    kill_a_put(folder, account, other)
    await storage.delete([key async for key in storage.list(f"{account}/{file}")])
    assert {path.name for path in (folder / account).iterdir()} == {other}
    await storage.delete([key async for key in storage.list(account)])
    assert list(folder.rglob("*")) == []

    kill_a_put(folder, account, file)
    await storage.put(f"{account}/{file}/320", b"kept", "image/webp")
    assert await storage.sweep(3600) == 0
    assert await storage.sweep(0) >= 1
    assert await storage.get(f"{account}/{file}/320") == b"kept"
    assert not list(folder.rglob("*#*"))


async def test_deletion_and_writing_at_once_keep_the_folders_that_are_needed(tmp_path: Path) -> None:
    """9.19b: empty folders are removed while other keys of the same account are written."""
    storage = Storage.at("", tmp_path / "files")
    account, file = uuid4(), uuid4()

    async def write(variant: str) -> None:
        for _ in range(50):
            await storage.put(key_of(account, file, variant), b"x", "image/png")
            await storage.delete([key_of(account, file, variant)])
        await storage.put(key_of(account, file, variant), b"x", "image/png")

    await asyncio.gather(*(write(str(number)) for number in range(4)))
    assert await everything(storage) == {key_of(account, file, str(number)) for number in range(4)}


def test_work_folders_of_killed_processes_are_swept(tmp_path: Path) -> None:
    """9.19b: an export's archive in the making does not outlive its process for long."""
    code = (
        "import sys, time; from pathlib import Path; from vetrina.core.files import work_folder\n"
        "with work_folder(Path(sys.argv[1])) as folder: (folder / 'export.zip').write_bytes(b'x'); print(folder, flush=True); "
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        left = Path(process.stdout.readline().strip())
        process.kill()
    assert (left / "export.zip").exists()
    with work_folder(tmp_path) as used:
        assert used.stat().st_mode & 0o777 == 0o700
        assert sweep_work(tmp_path, 3600) == 0
    assert not used.exists()
    assert sweep_work(tmp_path, 0) == 1
    assert list((tmp_path / "work").iterdir()) == []
