"""A disk that is really full: a small file system of its own under the data folder."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from pathlib import Path

import httpx2
import pytest

from tests.scenarios.process import up_within

SIZE = "320m"
MOUNT = f'mkdir -p "$0" && mount -t tmpfs -o size={SIZE},mode=0755 tmpfs "$0" && exec "$@"'
"""Mounts a file system at the first argument and runs the rest."""


def can_mount(folder: Path) -> bool:
    """Return whether this user may mount a file system in a namespace of its own."""
    probe = ["unshare", "-m", "sh", "-c", MOUNT, str(folder / "probe"), "true"]
    with contextlib.suppress(OSError):
        return subprocess.run(probe, check=False, capture_output=True).returncode == 0
    return False


def register(url: str, number: int) -> httpx2.Response:
    """Register an account, with a name that fills pages of the database soon."""
    body = {"email": f"full-{number}@example.com", "password": "a long enough one", "name": "n" * 120}
    return httpx2.post(f"{url}/api/v1/auth/registration", json=body, timeout=60)


def test_a_full_disk_answers_503_and_recovers(tmp_path: Path) -> None:
    """9.32: later requests are 503 with words, the site is not ready; with space again it is within seconds."""
    if not can_mount(tmp_path):
        pytest.skip("this user may not mount a file system")
    data = tmp_path / "data"
    wrapper = ("unshare", "-m", "sh", "-c", MOUNT, str(data))
    with up_within(wrapper, tmp_path, VETRINA_WEB_PROCESSES="1", VETRINA_WORKER_PROCESSES="1") as running:
        assert register(running.url, 0).status_code == 201
        fill = Path(f"/proc/{running.process.pid}/root{data}/fill")
        with contextlib.suppress(OSError), fill.open("wb", buffering=0) as file:
            while True:
                file.write(os.urandom(1 << 16))
        assert httpx2.get(f"{running.url}/readyz", timeout=10).json() == {"status": "no space left on the disk"}
        answers = [register(running.url, number) for number in range(1, 40)]
        refused = [answer for answer in answers if answer.status_code != 201]
        assert refused and {answer.status_code for answer in refused} == {503}
        assert all(
            "No space left on the disk" in answer.json()["detail"] and "Retry-After" in answer.headers for answer in refused
        )
        page = httpx2.get(f"{running.url}/sign-in", timeout=10)
        assert page.status_code == 200
        fill.unlink()
        began = time.monotonic()
        running.wait(20)
        assert register(running.url, 100).status_code == 201 and time.monotonic() - began < 20
