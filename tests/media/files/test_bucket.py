"""Images in a bucket, and uploads while it hangs."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import pytest

from tests.factories import Make
from tests.fakes.bucket import Bucket
from tests.media.processing import bad_files
from tests.server import Site
from vetrina.core.errors import Unavailable
from vetrina.core.services import Services
from vetrina.core.storage import buckets
from vetrina.core.storage.store import Storage
from vetrina.media.files import actions, decode_slots


async def test_upload_to_and_delete_from_a_bucket(
    site: Site, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """9.F35: upload, delivery and deletion with S3 behind an HTTP endpoint."""
    account = await make.account()
    with Bucket() as bucket:
        for name, value in bucket.environment.items():
            monkeypatch.setenv(name, value)
        site.services.storage = Storage.at(bucket.url, tmp_path)
        async with site.api(account) as api:
            image = {"file": ("a.png", bad_files.photograph(400, 300))}
            sent = await api.post("/files", files=image, data={"category": "product_image"})
            assert sent.status_code == 201, sent.text
            assert len({key async for key in site.services.storage.list("")}) >= 2
            response = await site.client.get(sent.json()["url"])
            assert response.status_code == 200
            assert int(response.headers["content-length"]) == len(response.content) == sent.json()["bytes"]


async def test_hanging_bucket_does_not_block_decoding(
    services: Services, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """9.F35: decoding slots are free while bytes are sent, so more uploads than slots wait for the bucket."""
    account = await make.account()
    data = bad_files.photograph(400, 300)

    async def read() -> bytes:
        return data

    await actions.upload(services, account.id, read, category="product_image", file_name="warm.png")
    monkeypatch.setattr(buckets, "SECONDS", 3.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
        services.storage = Storage.at("s3://pictures", tmp_path)
        started = time.monotonic()
        count = 4 * decode_slots.AT_ONCE
        outcomes = await asyncio.gather(
            *(actions.upload(services, account.id, read, category="product_image", file_name="a.png") for _ in range(count)),
            return_exceptions=True,
        )
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
    one_after_the_other = 3.0 * count / decode_slots.AT_ONCE
    assert time.monotonic() - started < one_after_the_other
