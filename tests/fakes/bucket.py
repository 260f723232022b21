"""A bucket: moto's server, which speaks S3, in its own process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from types import TracebackType
from typing import Self

import httpx2

from tests.fakes.dns import free_port

NAME = "pictures"


class Bucket:
    """One empty bucket. `environment` holds a client's usual variables."""

    def __init__(self) -> None:
        self.endpoint = f"http://127.0.0.1:{free_port()}"
        self.url = f"s3://{NAME}/site"
        self.environment = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
        }
        port = self.endpoint.rpartition(":")[2]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", port],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        )

    def __enter__(self) -> Self:
        until = time.monotonic() + 60
        while True:
            try:
                httpx2.put(f"{self.endpoint}/{NAME}", timeout=20).raise_for_status()
                return self
            except httpx2.TransportError:
                if time.monotonic() > until or self._process.poll() is not None:
                    raise RuntimeError("moto's server did not start") from None
                time.sleep(0.1)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait(20)
