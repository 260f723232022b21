"""`vetrina up` as an operator runs it, and ways to kill its processes."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from vetrina.cli import main


@dataclass
class Up:
    """A running Vetrina: web, worker and PostgreSQL on its own data folder."""

    process: subprocess.Popen[bytes]
    url: str
    data: Path
    environment: dict[str, str]

    def pids(self, word: str) -> list[int]:
        """Return its processes whose command line contains `word`."""
        return [pid for pid in _descendants(self.process.pid) if word in _command(pid)]

    def kill(self, word: str) -> int:
        """SIGKILL the first process whose command line contains `word` and return its pid."""
        pid = self.pids(word)[0]
        os.kill(pid, signal.SIGKILL)
        return pid

    def ready(self) -> bool:
        """Return whether /readyz answers 200."""
        try:
            return httpx2.get(self.url + "/readyz", timeout=2).status_code == 200
        except httpx2.HTTPError:
            return False

    def wait(self, seconds: float = 60) -> float:
        """Wait until it is ready and return the seconds it took."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            if self.process.poll() is not None:
                raise AssertionError(f"vetrina up ended with {self.process.returncode}")
            if self.ready():
                return time.monotonic() - started
            time.sleep(0.05)
        raise AssertionError(f"not ready after {seconds} s")

    def wait_for_successor(self, word: str, pid: int, seconds: float = 20) -> None:
        """Wait until another process than `pid` has `word` in its command line. Raises AssertionError after `seconds`."""
        until = time.monotonic() + seconds
        while not set(self.pids(word)) - {pid}:
            assert time.monotonic() < until, f"no other {word} within {seconds} s"
            time.sleep(0.02)

    def command(self, *words: str) -> tuple[int, str]:
        """Run another `vetrina` command on the same data folder, in this process; return its exit code and its output.

        For commands whose own process is not the point: each would import all of Vetrina again.
        """
        output = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            for name in os.environ.keys() - self.environment.keys():
                patch.delenv(name)
            for name, value in self.environment.items():
                patch.setenv(name, value)
            return main(words), output.getvalue()

    def run(self, *command: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run another `vetrina` command on the same data folder."""
        return subprocess.run(
            [sys.executable, "-m", "vetrina", *command],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


@contextlib.contextmanager
def up(folder: Path, *options: str, **settings: str) -> Generator[Up]:
    """Run `vetrina up` with these options until the block ends; then SIGTERM must end it cleanly."""
    with up_within((), folder, *options, **settings) as running:
        yield running


@contextlib.contextmanager
def up_within(wrapper: tuple[str, ...], folder: Path, *options: str, **settings: str) -> Generator[Up]:
    """Do as `up`, run by the command `wrapper`, such as one that mounts a file system first."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("VETRINA_", "OPENAI_", "COMFYUI_"))}
    environment = {
        **inherited,
        "VETRINA_DATA": str(folder / "data"),
        "VETRINA_PORT": str(port),
        "VETRINA_SANDBOX": "on",
        **settings,
    }
    log = (folder / "up.log").open("wb")
    command = [*wrapper, sys.executable, "-m", "vetrina", "up", *options]
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    running = Up(process, f"http://127.0.0.1:{port}", folder / "data", environment)
    try:
        running.wait()
        yield running
    except BaseException:
        log.flush()
        print((folder / "up.log").read_text()[-4000:])
        raise
    finally:
        left = _descendants(process.pid)
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(40)
        alive = [pid for pid in left if _command(pid)]
        for pid in [*alive, process.pid] if process.poll() is None else alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        log.close()
    assert process.returncode == 0, process.returncode
    assert alive == [], alive


def _descendants(pid: int) -> list[int]:
    result: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split():
                result += [int(child), *_descendants(int(child))]
    return result


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""
