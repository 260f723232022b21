"""The embedded PostgreSQL: started on demand, restarted after a crash, stopped cleanly, gone when we are gone."""

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
from vetrina.core.embedded.data_directory import ENVIRONMENT, Place
from vetrina.core.embedded.errors import CannotStart, EmbeddedError, NoAccess, NotInitialised
from vetrina.core.embedded.lock import Lock
from vetrina.core.processes import spawn

log = structlog.get_logger("vetrina.postgresql")

DATABASE = "vetrina"
FOLDER = "postgres"
FIRST_WORDS = "postgres-start.log"
"""What PostgreSQL says before its own log is open."""
RECOVERY = 600.0
"""Seconds that recovery after a crash may take before we give up waiting (max_wal_size keeps it to a few)."""


class Cluster:
    """PostgreSQL in `data/postgres`, for whoever holds the data folder's lock.

    `settings` go into postgresql.conf, over our defaults. A `lock` that is handed in is held already and is
    not released. Start it from the main thread: it gets a signal when the thread that started it ends.
    """

    def __init__(self, data: Path, *, settings: Mapping[str, str | int] | None = None, lock: Lock | None = None) -> None:
        self._data = data.absolute()
        self._settings = dict(settings or {})
        self._lock = None if lock else Lock(self._data)
        self._place: Place | None = None
        self._credentials: Credentials | None = None
        self._process: spawn.Process | None = None
        self._stopping = False

    @property
    def pid(self) -> int:
        """The postmaster's process id; 0 while there is none."""
        return self._process.pid if self._process and self._process.poll() is None else 0

    @property
    def binaries(self) -> Binaries:
        """The programs that it runs with."""
        return self._place.binaries if self._place else Binaries.find()

    def uri(self, role: Role, database: str = DATABASE) -> str:
        """How `role` connects; whether or not it runs. Raises NotInitialised before the first start."""
        return uri(self._data, role, database)

    async def start(self) -> None:
        """Take the folder, make the cluster if there is none, and return when it accepts connections.

        Raises AlreadyRunning, CannotStart, NoAccess.
        """
        make_folder(self._data)
        if self._lock:
            self._lock.acquire()
        try:
            self._stopping = False
            self._credentials = credentials.read_or_make(self._data)
            self._place = place = await Place.prepare(self._data / FOLDER, Binaries.find())
            if place.kept_version() is None:
                if place.pgdata.exists():
                    raise CannotStart(f"{place.pgdata} is there but holds no PostgreSQL data. Move it away.")
                log.info("a new database is being made", folder=str(place.pgdata))
                await place.initialise(self._credentials.passwords["superuser"], self._settings)
            if (kept := place.kept_version()) != place.binaries.major:
                raise CannotStart(
                    f"The database in {place.pgdata} was made by PostgreSQL {kept}; these programs are "
                    f"{place.binaries.version}. Dump it with the old version and restore it into a new data folder."
                )
            await self._launch()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Roll back what is open, write everything down, end, and let go of the folder."""
        self._stopping = True
        await self._end()
        if self._lock:
            self._lock.release()

    async def watch(self) -> None:
        """Start it again whenever it ends by itself, until `stop` or cancellation."""
        backoff = spawn.Backoff()
        while not self._stopping and self._process:
            started = time.monotonic()
            code = await spawn.ended(self._process)
            if self._stopping:
                return
            log.error("PostgreSQL ended and is started again", code=code)
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
        """Start the postmaster and wait until it is ready. Another port is taken when ours has got another user."""
        assert self._place and self._credentials
        place, name = self._place, processes.name_of(self._place.pgdata)
        await self._end()
        if await processes.stop_all(name):
            log.warning("processes of an earlier PostgreSQL were ended")
        processes.forget_stranger(place.pgdata)
        if not _free(self._credentials.port):
            self._credentials.port = _choose()
            credentials.write(self._data, self._credentials)
        place.put("postgresql.conf", configuration.text(self._settings, self._credentials.port))
        place.put("pg_hba.conf", configuration.ACCESS)
        with (self._data / FIRST_WORDS).open("wb") as words:
            self._process = spawn.spawn(
                [place.binaries.program("postgres"), "-D", str(place.pgdata), "-c", processes.argument(name)],
                account=place.account,
                death_signal=signal.SIGINT,  # a fast shutdown; the next start waits for its end
                environment=ENVIRONMENT,
                cwd=Path("/"),
                stdout=words,
                stderr=subprocess.STDOUT,
            )
        await self._ready(self._process)

    async def _ready(self, process: spawn.Process) -> None:
        assert self._place
        until = time.monotonic() + RECOVERY
        while time.monotonic() < until:
            if _status(self._place.pgdata, process.pid) == "ready":
                return
            if (code := process.poll()) is not None:
                raise CannotStart(f"PostgreSQL did not start ({code}).", self._last_words())
            await asyncio.sleep(0.02)
        raise CannotStart(f"PostgreSQL was not ready after {RECOVERY:.0f} s.", self._last_words())

    async def _end(self) -> None:
        if self._process is None:
            return
        for number, seconds in ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            if self._process.poll() is None:
                self._process.send_signal(number)
                await spawn.ended(self._process, seconds)
        self._process = None

    def _last_words(self) -> str:
        """The end of what it wrote, for the operator."""
        assert self._place
        logs = sorted((self._place.pgdata / configuration.LOG_FOLDER).glob("*.log"), key=lambda each: each.stat().st_mtime)
        lines: list[str] = []
        for file in [self._data / FIRST_WORDS, *logs[-1:]]:
            with contextlib.suppress(OSError):
                lines += file.read_text(errors="replace").splitlines()[-8:]
        return "\n".join(lines)


def exists(data: Path) -> bool:
    """Whether this data folder holds a database. Raises NoAccess."""
    try:
        return (data / FOLDER / "PG_VERSION").exists()
    except OSError as error:
        raise NoAccess(f"The data folder {data} cannot be read: {error}") from error


def uri(data: Path, role: Role, database: str = DATABASE) -> str:
    """How `role` connects to the embedded database of this data folder. Raises NotInitialised, NoAccess."""
    found = credentials.read(data)
    if found is None or not found.port:
        raise NotInitialised(f"The data folder {data} holds no database yet. `vetrina up` makes one.")
    user = "postgres" if role == "superuser" else f"vetrina_{role}"
    return f"postgresql://{user}:{found.passwords[role]}@127.0.0.1:{found.port}/{database}"


def make_folder(data: Path) -> None:
    """The data folder, closed to others if it has to be made. Raises NoAccess."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise NoAccess(f"The data folder {data} cannot be made: {error}") from error


def _status(pgdata: Path, pid: int) -> str:
    """The postmaster's own word in postmaster.pid: starting, ready, stopping; empty if the file is not its own."""
    try:
        lines = (pgdata / "postmaster.pid").read_text().splitlines()
    except OSError:
        return ""
    return lines[7].strip() if len(lines) > 7 and lines[0].strip() == str(pid) else ""


def _free(port: int) -> bool:
    if not port:
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _choose() -> int:
    """A free port below the range that outgoing connections take theirs from.

    A client that tries and tries a port within that range while nobody listens may end up connected to itself.
    """
    for _ in range(200):
        port = random.SystemRandom().randrange(20000, 32000)
        if _free(port):
            return port
    raise CannotStart("There is no free port for PostgreSQL on 127.0.0.1.")
