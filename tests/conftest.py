"""A database for each test, cloned from a migrated template; services, accounts and a site on it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpcore2
import psycopg
import pytest
import pytest_asyncio
import structlog

from tests import postgres, schedule, thoroughness
from tests.factories import Make
from tests.fakes import loopback_only
from tests.fakes.dns import DnsFake
from tests.postgres import Clones
from tests.server import Site, serving
from vetrina import worker as worker_process
from vetrina.accounts import passwords
from vetrina.accounts.passwords import MEMORY, PASSES
from vetrina.core.database.connection import Database
from vetrina.core.jobs import queue as jobs
from vetrina.core.services import Services
from vetrina.core.settings.environment import Settings, read
from vetrina.modules import connect
from vetrina.prepare import prepare

thoroughness.load()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have the long files begin first, when there are workers to share them."""
    given = getattr(config, "workerinput", None)
    if given is not None:
        schedule.arrange(items, given["workercount"])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how the same order is had again; pytest-randomly says it in a header, which -q leaves out."""
    if (seed := config.getoption("randomly_seed", None)) is not None:
        terminalreporter.write_line(f"This order again: --randomly-seed={seed}")


@pytest.fixture(scope="session", autouse=True)
def only_loopback() -> Iterator[None]:
    """No test reaches any address but this machine's own."""
    with loopback_only():
        yield


@pytest.fixture(scope="session", autouse=True)
def logs_stay() -> Iterator[None]:
    """A command that a test runs in this process does not set up its logs: they would outlive its captured stderr.

    Tracebacks are plain. Those that structlog draws by default, with every local variable, take seconds of some tests.
    """
    renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vetrina.core.command_line.logs.configure", lambda *_: None)
        structlog.configure(processors=[*structlog.get_config()["processors"][:-1], renderer])
        yield


@pytest.fixture(scope="session", autouse=True)
def one_trust_store() -> Iterator[None]:
    """Load the machine's certificates once: a client of each test would load them again, for 25 ms of a processor."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpcore2, "default_ssl_context", cache(httpcore2.default_ssl_context))
        yield


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Hash passwords cheaply: a thousand are hashed in a run, for 40 ms each at full cost. `full_cost` is for tests of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "PASSES", 1)
        patch.setattr(passwords, "MEMORY", 64)
        yield


@pytest.fixture
def full_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords at the cost of production."""
    monkeypatch.setattr(passwords, "PASSES", PASSES)
    monkeypatch.setattr(passwords, "MEMORY", MEMORY)


@pytest_asyncio.fixture(scope="session", autouse=True)
async def one_browser() -> AsyncIterator[None]:
    """The browser that the tests of this process have shared ends with them."""
    yield
    if "tests.browser" in sys.modules:  # importing it takes a while, and few tests need it
        await sys.modules["tests.browser"].close()


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URI of a superuser of a PostgreSQL server for tests."""
    with postgres.server() as uri:
        yield uri


@pytest.fixture(scope="session")
def template(server: str) -> Iterator[str]:
    """The name of a migrated database to clone."""
    name = f"template_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        for role in ("owner", "app", "reporting"):
            extra = "superuser" if role == "owner" else ""
            connection.execute(
                f"do $$ begin create role vetrina_{role} login password 'test' {extra}; "
                "exception when duplicate_object or unique_violation then null; end $$".encode()
            )
        connection.execute(f"create database {name} owner vetrina_owner".encode())
        asyncio.run(prepare(read({}), _uri(server, name, "vetrina_owner")))
        yield name
        connection.execute(f"drop database {name} with (force)".encode())


@pytest.fixture(scope="session")
def clones(server: str, template: str) -> Iterator[Clones]:
    """Clones of the template, made while other tests run."""
    with Clones(server, template) as result:
        yield result


@pytest.fixture
def database(server: str, clones: Clones) -> Iterator[str]:
    """The URI, as the application's role, of a fresh clone. `owner` gives the owner's."""
    name = clones.take()
    yield _uri(server, name, "vetrina_app")
    clones.give_back(name)


@pytest.fixture
def owner(database: str) -> str:
    """The same database, as its owner: past grants, for setting a scene."""
    return _uri(database, urlsplit(database).path[1:], "vetrina_owner")


@pytest_asyncio.fixture
async def db(database: str) -> AsyncIterator[Database]:
    """A pool on the test's database."""
    result = Database(database, size=16, name="test")
    await result.open()
    yield result
    await result.close()


@pytest.fixture(scope="session")
def name_server() -> Iterator[DnsFake]:
    """A name server on loopback, so that no lookup leaves the machine."""
    with DnsFake() as result:
        yield result


@pytest.fixture
def names(name_server: DnsFake) -> DnsFake:
    """The name server, knowing nothing yet."""
    name_server.forget()
    return name_server


@pytest.fixture
def settings(tmp_path: Path, name_server: DnsFake) -> Settings:
    """Settings on a data folder of the test's own; nothing comes from the environment."""
    return read(
        {
            "VETRINA_DATA": str(tmp_path / "data"),
            "VETRINA_SECRET_KEY": "for tests alone " * 3,
            "VETRINA_DNS_SERVERS": name_server.address,
            "VETRINA_SANDBOX": "on",
        }
    )


@pytest_asyncio.fixture
async def services(settings: Settings, database: str) -> AsyncIterator[Services]:
    """Open services on the test's database."""
    result = connect(settings, database)
    await result.open()
    yield result
    await result.close()


@pytest.fixture
def make(services: Services) -> Make:
    """Makes accounts and what they own."""
    return Make(services)


@pytest_asyncio.fixture
async def site(settings: Settings, database: str) -> AsyncIterator[Site]:
    """The whole application over HTTP on loopback."""
    async with serving(connect(settings, database)) as result:
        yield result


@pytest_asyncio.fixture
async def worker(settings: Settings, database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Services]:
    """A worker at work on the test's database, in this process.

    It does not make up the nightly jobs that a fresh database has missed, thirty in all, nor wait for what still runs at the end.
    """
    monkeypatch.setitem(jobs.app.periodic_defaults, "max_delay", 60)
    monkeypatch.setattr(worker_process, "GRACE", 0.2)
    result = connect(settings, database)
    stop = asyncio.Event()
    task = asyncio.create_task(worker_process.work(result, stop))
    yield result
    stop.set()
    await asyncio.wait_for(task, 30)


def _uri(server: str, name: str, role: str) -> str:
    parts = urlsplit(server)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:test@{place}", path=f"/{name}"))
