"""The embedded PostgreSQL: created, started, killed, refused."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from psycopg.conninfo import conninfo_to_dict

from vetrina.core.embedded import AlreadyRunning, CannotStart, Cluster, NotInitialised, processes
from vetrina.core.embedded import binaries as binaries_module
from vetrina.core.embedded.binaries import Binaries
from vetrina.core.embedded.cluster import FOLDER, uri
from vetrina.core.processes import spawn

FAST = {"fsync": "off", "shared_buffers": "16MB"}

# A process that supervises a cluster until it is killed.
SUPERVISOR = """
import asyncio, sys
from pathlib import Path
from vetrina.core.command_line import logs
from vetrina.core.embedded import Cluster

logs.configure("text", "keeper")

async def main():
    cluster = Cluster(Path(sys.argv[1]), settings={"fsync": "off", "shared_buffers": "16MB"})
    await cluster.start()
    print(cluster.pid, flush=True)
    await cluster.watch()

asyncio.run(main())
"""


@pytest_asyncio.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    """A running cluster."""
    async with Cluster(tmp_path / "data", settings=FAST) as running:
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cluster, Path]]:
    """A running cluster and its data folder, for tests that change nothing."""
    data = tmp_path_factory.mktemp("shared") / "data"
    running = Cluster(data, settings=FAST)
    asyncio.run(running.start())
    yield running, data
    asyncio.run(running.stop())


def connect(cluster: Cluster) -> psycopg.Connection[tuple[object, ...]]:
    """Connect as the superuser."""
    return psycopg.connect(cluster.uri("superuser", "postgres"), autocommit=True)


def insert_rows(cluster: Cluster) -> None:
    """Insert a thousand rows."""
    with connect(cluster) as connection:
        connection.execute("create table kept as select generate_series(1, 1000) as number")


def count_rows(cluster: Cluster) -> object:
    """Return the number of rows."""
    with connect(cluster) as connection:
        return (connection.execute("select count(*) from kept").fetchone() or (0,))[0]


async def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until the condition holds; fail after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        await asyncio.sleep(0.02)


def accepts_connections(cluster: Cluster) -> bool:
    """Return whether it accepts connections."""
    try:
        connect(cluster).close()
    except psycopg.OperationalError:
        return False
    return True


async def test_restart_keeps_rows_and_port(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "data", settings=FAST)
    await cluster.start()
    address = cluster.uri("superuser")
    insert_rows(cluster)
    await cluster.stop()
    assert cluster.pid == 0 and not accepts_connections(cluster)
    async with Cluster(tmp_path / "data", settings=FAST) as again:
        assert again.uri("superuser") == address
        assert count_rows(again) == 1000


def test_only_local_password_connections_are_accepted(shared: tuple[Cluster, Path]) -> None:
    cluster, _ = shared
    with connect(cluster) as connection:
        settings = connection.execute("select name, setting from pg_settings").fetchall()
        displayed: dict[Any, Any] = {row[0]: row[1] for row in settings}
        methods = {row[0] for row in connection.execute("select distinct auth_method from pg_hba_file_rules")}
        stored = connection.execute("select rolpassword from pg_authid where rolname = 'postgres'").fetchone()
    assert displayed["listen_addresses"] == "127.0.0.1" and displayed["unix_socket_directories"] == ""
    assert displayed["data_checksums"] == "on" and displayed["server_encoding"] == "UTF8" and displayed["TimeZone"] == "UTC"
    assert methods == {"scram-sha-256"} and str((stored or ("",))[0]).startswith("SCRAM-SHA-256$")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(cluster.uri("superuser", "postgres").replace("postgres:", "postgres:x"))


def test_secrets_are_not_readable_by_others(shared: tuple[Cluster, Path]) -> None:
    cluster, data = shared
    assert [(data / name).stat().st_mode & 0o777 for name in (".", "postgres.json", FOLDER)] == [0o700, 0o600, 0o700]
    if os.geteuid() == 0:
        assert Path(f"/proc/{cluster.pid}").stat().st_uid != 0


async def test_second_process_is_refused_with_the_pid_of_the_first(shared: tuple[Cluster, Path]) -> None:
    cluster, data = shared
    with pytest.raises(AlreadyRunning, match=f"in use by the process with id {os.getpid()}") as refused:
        await Cluster(data).start()
    assert refused.value.pid == os.getpid()
    assert accepts_connections(cluster)


async def test_killed_postmaster_restarts_with_all_rows(cluster: Cluster) -> None:
    insert_rows(cluster)
    watch = asyncio.create_task(cluster.watch())
    for _ in range(2):
        killed = cluster.pid
        os.kill(killed, signal.SIGKILL)
        await wait_until(lambda: cluster.pid not in {0, killed} and accepts_connections(cluster), 10)
        assert count_rows(cluster) == 1000
    watch.cancel()


async def test_orphaned_backend_does_not_prevent_a_start(cluster: Cluster) -> None:
    insert_rows(cluster)
    connection = await psycopg.AsyncConnection.connect(cluster.uri("superuser", "postgres"), autocommit=True)
    backend = connection.info.backend_pid
    asleep = asyncio.create_task(connection.execute("select pg_sleep(60)"))
    await asyncio.sleep(0.1)
    os.kill(cluster.pid, signal.SIGKILL)
    await asyncio.sleep(0.1)
    os.kill(backend, 0)  # it is there, and would be for a minute
    watch = asyncio.create_task(cluster.watch())
    await wait_until(lambda: accepts_connections(cluster), 10)
    assert count_rows(cluster) == 1000
    with pytest.raises(psycopg.OperationalError):
        await asleep
    watch.cancel()


async def test_killed_supervisor_leaves_no_process_and_restarts(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with subprocess.Popen([sys.executable, "-c", SUPERVISOR, data], stdout=subprocess.PIPE) as keeper:
        assert keeper.stdout
        await asyncio.to_thread(keeper.stdout.readline)
        insert_rows(Cluster(data))
        name = processes.name_of(data / FOLDER)
        assert len(processes.postmasters(name)) == 1 and processes.backends(name)
        keeper.kill()
    async with Cluster(data, settings=FAST) as again:  # at once: it waits for the old one's end
        assert count_rows(again) == 1000
        assert processes.postmasters(name) == [again.pid]
    async with asyncio.timeout(20):  # a backend of the killed server's may be about to notice
        while processes.postmasters(name) or processes.backends(name):
            await asyncio.sleep(0.05)


async def test_postgresql_of_a_killed_supervisor_stops(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with subprocess.Popen([sys.executable, "-c", SUPERVISOR, data], stdout=subprocess.PIPE) as keeper:
        assert keeper.stdout
        await asyncio.to_thread(keeper.stdout.readline)
        name = processes.name_of(data / FOLDER)
        keeper.kill()
    await wait_until(lambda: not processes.postmasters(name) and not processes.backends(name), 10)


async def test_occupied_port_is_replaced(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "data", settings=FAST)
    await cluster.start()
    insert_rows(cluster)
    port = conninfo_to_dict(cluster.uri("app"))["port"]
    await cluster.stop()
    with socket.create_server(("127.0.0.1", int(str(port)))):
        await cluster.start()
        try:
            assert count_rows(cluster) == 1000
            assert f":{port}/" not in cluster.uri("app")
        finally:
            await cluster.stop()


async def test_failed_start_has_a_reason(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="max_connections"):
        await Cluster(tmp_path / "data", settings={**FAST, "max_connections": "many"}).start()
    async with Cluster(tmp_path / "data", settings=FAST):
        pass  # and nothing was left held
    (tmp_path / "data" / FOLDER / "PG_VERSION").write_text("15\n")
    with pytest.raises(CannotStart, match="created by PostgreSQL 15"):
        await Cluster(tmp_path / "data", settings=FAST).start()


async def test_interrupted_initdb_is_repeated(tmp_path: Path) -> None:
    draft = tmp_path / "data" / f".{FOLDER}.new"
    (draft / "base").mkdir(parents=True)
    async with Cluster(tmp_path / "data", settings=FAST) as cluster:
        assert accepts_connections(cluster)
    assert not draft.exists()


def test_uri_before_the_first_start_raises(tmp_path: Path) -> None:
    with pytest.raises(NotInitialised, match="vetrina up"):
        uri(tmp_path, "app")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else; others run all of these as themselves")
async def test_runs_as_another_user_than_root(tmp_path: Path) -> None:
    data = tmp_path / "theirs"
    data.mkdir(mode=0o700)
    os.chown(data, 65534, 65534)
    account = spawn.Account(65534, 65534, traverse=True)  # to reach the interpreter; PostgreSQL inherits that
    keeper = spawn.spawn([sys.executable, "-c", SUPERVISOR, str(data)], account=account, stdout=subprocess.PIPE)
    assert keeper.stdout
    pid = int(await asyncio.to_thread(keeper.stdout.readline))
    assert Path(f"/proc/{pid}").stat().st_uid == 65534
    keeper.kill()
    await wait_until(lambda: not Path(f"/proc/{pid}").exists(), 10)
    keeper.wait()
    keeper.stdout.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only for root")
async def test_unreadable_programs_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries_module, "COPY_FOLDER", tmp_path / "copies")
    copy = Binaries.find().copied_binaries()
    assert copy == Binaries.find().copied_binaries() and copy.version == Binaries.find().version
    completed = subprocess.run([copy.program("initdb"), "--version"], capture_output=True, text=True, check=True)
    assert copy.major in completed.stdout
