"""The embedded PostgreSQL: started on demand, restarted after a crash, stopped with its parent."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import structlog

from vetrina.core.embedded import configuration, credentials, processes
from vetrina.core.embedded.binaries import Binaries
from vetrina.core.embedded.credentials import Credentials, Role
from vetrina.core.embedded.data_directory import ENVIRONMENT, DataDirectory
from vetrina.core.embedded.errors import CannotStart, EmbeddedError, NoAccess, NotInitialised
from vetrina.core.embedded.lock import Lock
from vetrina.core.processes import spawn

log = structlog.get_logger("vetrina.postgresql")

DATABASE = "vetrina"
FOLDER = "postgres"
START_LOG = "postgres-start.log"
"""PostgreSQL's output before its own log is open."""
RECOVERY_SECONDS = 600.0
"""Timeout of recovery after a crash (max_wal_size keeps it to a few seconds)."""


class Cluster:
    """PostgreSQL in `data/postgres`, for the process that holds the data folder's lock.

    `settings` go into postgresql.conf, over the defaults. A `lock` passed in is held already and is not
    released. Start it from the main thread: it gets a signal when the thread that started it ends.
    """

    def __init__(self, data: Path, *, settings: Mapping[str, str | int] | None = None, lock: Lock | None = None) -> None:
        self._data = data.absolute()
        self._settings = dict(settings or {})
        self._lock = None if lock else Lock(self._data)
        self._directory: DataDirectory | None = None
        self._credentials: Credentials | None = None
        self._process: spawn.Process | None = None
        self._stopping = False

    @property
    def pid(self) -> int:
        """The postmaster's process id; 0 if it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else 0

    @property
    def binaries(self) -> Binaries:
        """PostgreSQL's programs."""
        return self._directory.binaries if self._directory else Binaries.find()

    def uri(self, role: Role, database: str = DATABASE) -> str:
        """Return the URI for `role`, whether or not it runs. Raises NotInitialised before the first start."""
        return uri(self._data, role, database)

    async def start(self) -> None:
        """Lock the folder, create the cluster if there is none, and return when it accepts connections.

        Raises AlreadyRunning, CannotStart, NoAccess.
        """
        make_folder(self._data)
        if self._lock:
            self._lock.acquire()
        try:
            self._stopping = False
            self._credentials = credentials.read_or_make(self._data)
            self._directory = directory = await DataDirectory.prepare(self._data / FOLDER, Binaries.find())
            if directory.cluster_version() is None:
                if directory.pgdata.exists():
                    raise CannotStart(f"{directory.pgdata} exists but holds no PostgreSQL data. Move it away.")
                log.info("creating a new database", folder=str(directory.pgdata))
                await directory.initialise(self._credentials.passwords["superuser"], self._settings)
            if (stored := directory.cluster_version()) != directory.binaries.major:
                raise CannotStart(
                    f"The database in {directory.pgdata} was created by PostgreSQL {stored}; these programs are "
                    f"{directory.binaries.version}. Dump it with the old version and restore it into a new data folder."
                )
            await self._launch()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Roll back open transactions, shut down and release the folder's lock."""
        self._stopping = True
        await self._stop_postmaster()
        if self._lock:
            self._lock.release()

    async def watch(self) -> None:
        """Restart it whenever it exits by itself, until `stop` or cancellation."""
        backoff = spawn.Backoff()
        while not self._stopping and self._process:
            started = time.monotonic()
            code = await spawn.wait_for_exit(self._process)
            if self._stopping:
                return
            log.error("PostgreSQL exited and is restarted", code=code)
            ready = False
            while not ready:
                await asyncio.sleep(backoff.after(time.monotonic() - started))
                started = time.monotonic()
                try:
                    await self._launch()
                    ready = True
                    log.info("PostgreSQL is ready again", seconds=round(time.monotonic() - started, 2))
                except EmbeddedError as error:
                    log.error("PostgreSQL did not start", reason=str(error))

    async def __aenter__(self) -> Cluster:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _launch(self) -> None:
        """Start the postmaster and wait until it is ready. Choose another port if ours is in use."""
        assert self._directory and self._credentials
        directory, name = self._directory, processes.name_of(self._directory.pgdata)
        await self._stop_postmaster()
        if await processes.stop_all(name):
            log.warning("stopped processes of an earlier PostgreSQL")
        processes.remove_stale_pid(directory.pgdata)
        if not _is_free(self._credentials.port):
            self._credentials.port = _find_free_port()
            credentials.write(self._data, self._credentials)
        directory.write_file("postgresql.conf", configuration.text(self._settings, self._credentials.port))
        directory.write_file("pg_hba.conf", configuration.ACCESS)
        with (self._data / START_LOG).open("wb") as start_log:
            self._process = spawn.spawn(
                [directory.binaries.program("postgres"), "-D", str(directory.pgdata), "-c", processes.argument(name)],
                account=directory.account,
                death_signal=signal.SIGINT,  # a fast shutdown; the next start waits for its end
                environment=ENVIRONMENT,
                cwd=Path("/"),
                stdout=start_log,
                stderr=subprocess.STDOUT,
            )
        await self._wait_until_ready(self._process)

    async def _wait_until_ready(self, process: spawn.Process) -> None:
        assert self._directory
        until = time.monotonic() + RECOVERY_SECONDS
        while time.monotonic() < until:
            if _postmaster_status(self._directory.pgdata, process.pid) == "ready":
                return
            if (code := process.poll()) is not None:
                raise CannotStart(f"PostgreSQL did not start ({code}).", self._log_tail())
            await asyncio.sleep(0.02)
        raise CannotStart(f"PostgreSQL was not ready after {RECOVERY_SECONDS:.0f} s.", self._log_tail())

    async def _stop_postmaster(self) -> None:
        if self._process is None:
            return
        for number, seconds in ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            if self._process.poll() is None:
                self._process.send_signal(number)
                await spawn.wait_for_exit(self._process, seconds)
        self._process = None

    def _log_tail(self) -> str:
        """Return the last lines of its output, for the operator."""
        assert self._directory
        logs = sorted((self._directory.pgdata / configuration.LOG_FOLDER).glob("*.log"), key=lambda item: item.stat().st_mtime)
        lines: list[str] = []
        for file in [self._data / START_LOG, *logs[-1:]]:
            with contextlib.suppress(OSError):
                lines += file.read_text(errors="replace").splitlines()[-8:]
        return "\n".join(lines)


def exists(data: Path) -> bool:
    """Return whether this data folder holds a database. Raises NoAccess."""
    try:
        return (data / FOLDER / "PG_VERSION").exists()
    except OSError as error:
        raise NoAccess(f"The data folder {data} cannot be read: {error}") from error


def uri(data: Path, role: Role, database: str = DATABASE) -> str:
    """Return the URI of `role` for the embedded database of this data folder. Raises NotInitialised, NoAccess."""
    stored = credentials.read(data)
    if stored is None or not stored.port:
        raise NotInitialised(f"The data folder {data} holds no database yet. `vetrina up` creates one.")
    user = "postgres" if role == "superuser" else f"vetrina_{role}"
    return f"postgresql://{user}:{stored.passwords[role]}@127.0.0.1:{stored.port}/{database}"


def make_folder(data: Path) -> None:
    """Create the data folder if it is missing, closed to other users. Raises NoAccess."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise NoAccess(f"The data folder {data} cannot be created: {error}") from error


def _postmaster_status(pgdata: Path, pid: int) -> str:
    """Return the status in postmaster.pid: starting, ready, stopping; empty if the file is not this process's."""
    try:
        lines = (pgdata / "postmaster.pid").read_text().splitlines()
    except OSError:
        return ""
    return lines[7].strip() if len(lines) > 7 and lines[0].strip() == str(pid) else ""


def _is_free(port: int) -> bool:
    if not port:
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _find_free_port() -> int:
    """Return a free port below the range of ports for outgoing connections.

    A client that retries a port within that range while no server listens may end up connected to itself.
    """
    for _ in range(200):
        port = random.SystemRandom().randrange(20000, 32000)
        if _is_free(port):
            return port
    raise CannotStart("There is no free port for PostgreSQL on 127.0.0.1.")
