"""`vetrina up`: runs all of Vetrina until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import structlog

from vetrina import modules
from vetrina.commands.dev_fakes import Fakes
from vetrina.commands.dev_fakes import fakes as imitated
from vetrina.commands.sockets import listen
from vetrina.core.command_line import logs
from vetrina.core.embedded import Access, Cluster, Lock, ensure_external, ensure_roles, make_folder
from vetrina.core.processes import spawn
from vetrina.core.processes.supervisor import Child, Supervisor
from vetrina.core.settings import environment as settings
from vetrina.core.settings.environment import Settings

log = structlog.get_logger("vetrina.up")
Result = TypeVar("Result")


def up(*, demo: bool = False, only: str = "", with_fakes: bool = False) -> int:
    """Run everything: PostgreSQL, migrations, web processes and workers, under one supervisor.

    PostgreSQL is the embedded one in the data folder, unless VETRINA_DATABASE_URL is set. Processes that exit are restarted.
    The address is printed when the site answers. SIGTERM or Ctrl-C stops everything in order; a second one at once.
    VETRINA_DATA is the data folder, VETRINA_PORT the port; `vetrina doctor` lists the other settings.

    Args:
        demo: Create an account with finished work, once, and print how to sign in to it.
        only: Modules to serve, comma-separated, such as stripe_mirror,reports; signing in is always included. The database
            gets all of its tables. The same as VETRINA_ONLY.
        with_fakes: Run fakes of Stripe and ZarinPal on this machine, to try card payments without keys and without
            money. From a source checkout only.
    """
    config = settings.read({**os.environ, **({"VETRINA_ONLY": only} if only else {})})
    modules.of(config)  # raises for an unknown module
    logs.configure(config.log_format, "up")
    asyncio.run(_Up(config, demo=demo, with_fakes=with_fakes).run())
    return 0


class _Stopped(Exception):
    """A stop was requested during the start."""


class _Up:
    def __init__(self, config: Settings, *, demo: bool, with_fakes: bool = False) -> None:
        self.settings = config
        self.demo = demo
        self.with_fakes = with_fakes
        self.stop, self.force = asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._signalled, number)
        make_folder(self.settings.data)
        settings.secret_keys(self.settings)  # a key that no child could read fails here, before anything is started
        lock = Lock(self.settings.data)
        lock.acquire()
        try:
            with contextlib.suppress(_Stopped), contextlib.ExitStack() as stack:
                sockets = listen(self.settings.host, self.settings.port, self.settings.web_processes)
                for item in sockets:
                    stack.enter_context(item)
                async with self._database(lock) as access:
                    if access.note:
                        log.warning(access.note)
                    from vetrina.media.provenance import certificate
                    from vetrina.prepare import prepare  # imports the modules: late, so that errors are reported at once

                    certificate.certificate(self.settings)  # made here, once, rather than by the first of several workers
                    applied = await self._unless_stopped(prepare(self.settings, access.owner))
                    log.info("the database is up to date", applied=len(applied))
                    await self._serve(sockets, access.app)
        finally:
            lock.release()
        log.info("stopped")

    def _signalled(self, number: signal.Signals) -> None:
        log.info("stopping", signal=number.name)
        if self.stop.is_set():
            self.force.set()
        self.stop.set()

    async def _unless_stopped(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Return the result of `work`, which is cancelled when a stop is requested."""
        task, stop = asyncio.create_task(work), asyncio.create_task(self.stop.wait())
        try:
            await asyncio.wait([task, stop], return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise _Stopped
            return task.result()
        finally:
            for item in (task, stop):
                item.cancel()
            await asyncio.gather(task, stop, return_exceptions=True)

    @asynccontextmanager
    async def _database(self, lock: Lock) -> AsyncGenerator[Access]:
        data = self.settings.data
        if self.settings.database_url:
            yield await asyncio.to_thread(ensure_external, self.settings.database_url, data)
            return
        cluster = Cluster(data, lock=lock)
        await self._unless_stopped(cluster.start())
        watch = asyncio.create_task(cluster.watch())
        try:
            yield await asyncio.to_thread(ensure_roles, data)
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            await cluster.stop()

    async def _serve(self, sockets: list[socket.socket], uri: str) -> None:
        port = sockets[0].getsockname()[1]
        environment = {
            **os.environ,
            "VETRINA_DATABASE_URL": uri,
            "VETRINA_DATA": str(self.settings.data.absolute()),
            "VETRINA_PORT": str(port),
            "VETRINA_ONLY": self.settings.only,
            "VETRINA_PROFILE": self.settings.profile,
        }
        fakes = imitated(self._here(port)) if self.with_fakes else Fakes([], {}, "")
        environment |= fakes.environment

        def child(name: str, *command: str, fds: tuple[int, ...] = ()) -> Child:
            return Child(name, [sys.executable, "-m", "vetrina", *command], environment, fds)

        def web(number: int) -> Child:
            fds = [item.fileno() for item in (*sockets[number:], *sockets[:number])]  # its own first
            return child(f"web {number + 1}", "serve", *(f"--fd={fd}" for fd in fds), fds=tuple(fds))

        supervisor = Supervisor(
            [web(number) for number in range(len(sockets))],
            [child(f"worker {number + 1}", "worker") for number in range(self.settings.worker_processes)],
            fakes.children,
        )
        telling = asyncio.create_task(self._announce(port, environment, fakes.words))

        def close() -> None:
            telling.cancel()
            for item in sockets:
                item.close()

        try:
            await supervisor.run(self.stop, self.force, on_stop=close)
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)

    def _here(self, port: int) -> str:
        """Return the site's address for programs on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.settings.host, self.settings.host)  # noqa: S104  # compared, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    async def _announce(self, port: int, environment: dict[str, str], words: str) -> None:
        """Print the address once the site answers; then the demo account, if requested."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.settings.host, self.settings.host)  # noqa: S104  # compared, not bound
        while not await asyncio.to_thread(_ready, host, port):  # noqa: ASYNC110  # polled
            await asyncio.sleep(0.1)
        here = self._here(port)
        print(f"Vetrina is ready: {self.settings.public_url or here}", *filter(None, [words]), sep="\n", flush=True)
        if self.demo:
            command = [sys.executable, "-m", "vetrina", "demo", "seed", "--url", here]
            process = spawn.spawn(command, environment=environment)
            try:
                await spawn.wait_for_exit(process)
            finally:
                process.kill()


def _ready(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)  # without a proxy
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
