"""A PostgreSQL server for the benchmarks, with Vetrina's own settings, and web processes on it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from vetrina.core.embedded import Cluster
from vetrina.core.embedded.roles import ensure_roles
from vetrina.core.settings.environment import Settings, read
from vetrina.prepare import prepare

ROOT = Path(__file__).resolve().parents[1]
SECRET = "for benchmarks alone " * 3
SETTINGS = {
    "max_connections": "200",  # for pgbench, which needs one for each client
    "shared_preload_libraries": "pg_stat_statements",  # counts statements, in its one pass only
    "pg_stat_statements.track": "none",
}
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Environment:
    """A running cluster and its data folder."""

    data: Path
    cluster: Cluster

    def uri(self, role: str = "app", database: str = "vetrina") -> str:
        """Return the URI of `role`."""
        return self.cluster.uri(role, database)  # type: ignore[arg-type]

    @property
    def settings(self) -> Settings:
        """Settings of the web processes."""
        return read({"VETRINA_DATA": str(self.data / "site"), "VETRINA_SECRET_KEY": SECRET})

    def program(self, name: str) -> str:
        """Return the path of one of PostgreSQL's programs, of the server's version."""
        return self.cluster.binaries.program(name)

    def run(self, database: str, *statements: str, user: str = "superuser") -> None:
        """Run statements one after the other, each in its own transaction."""
        with psycopg.connect(self.uri(user, database), autocommit=True) as connection:
            for item in statements:
                connection.execute(item.encode())

    def one(self, database: str, statement: str, *arguments: Any) -> Any:
        """Return the first column of the first row."""
        with psycopg.connect(self.uri("superuser", database), autocommit=True) as connection:
            row = connection.execute(statement.encode(), arguments).fetchone()
        return row[0] if row else None

    def copy(self, name: str) -> None:
        """Create a database from `vetrina`, which must have no connections."""
        with psycopg.connect(self.uri("superuser", "postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("create database {} template vetrina owner vetrina_owner").format(sql.Identifier(name)))

    def cpu(self) -> float:
        """Return the processor seconds of PostgreSQL, including backends that have ended."""
        return _cpu(self.cluster.pid, dead=True) + sum(_cpu(pid) for pid in _children(self.cluster.pid))


@contextlib.contextmanager
def running_environment() -> Generator[Environment]:
    """Start a migrated cluster, deleted at the end. Durable: fsync and synchronous_commit are on."""
    with tempfile.TemporaryDirectory(prefix="vetrina-bench-") as folder:
        data = Path(folder)
        cluster = Cluster(data, settings=SETTINGS)
        asyncio.run(cluster.start())
        try:
            ensure_roles(data)
            result = Environment(data, cluster)
            asyncio.run(prepare(result.settings, result.uri("owner")))
            yield result
        finally:
            asyncio.run(cluster.stop())


@dataclass
class Web:
    """Web processes that share one listening socket."""

    url: str
    processes: list[subprocess.Popen[bytes]]

    def cpu(self) -> list[float]:
        """Return the processor seconds of each process."""
        return [_cpu(item.pid) for item in self.processes]


@contextlib.contextmanager
def web(env: Environment, database: str, processes: int) -> Generator[Web]:
    """Serve `database` until the block ends."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP))
        listener.bind(("127.0.0.1", 0))
        listener.listen(2048)
        own = ("VETRINA_", "OPENAI_", "COMFYUI_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        variables = {
            **inherited,
            "VETRINA_DATA": str(env.data / "site"),
            "VETRINA_SECRET_KEY": SECRET,
            "VETRINA_LOG_FORMAT": "json",
            "VETRINA_DATABASE_URL": env.uri("app", database),
        }
        log = stack.enter_context((env.data / f"web-{database}.log").open("ab"))
        command = [sys.executable, "-m", "bench.web", str(listener.fileno())]
        started: list[subprocess.Popen[bytes]] = []
        for _ in range(processes):
            process = subprocess.Popen(command, env=variables, cwd=ROOT, stdout=log, stderr=log, pass_fds=[listener.fileno()])
            stack.callback(_terminate, process)
            started.append(process)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        _wait(url, started, env.data / f"web-{database}.log")
        yield Web(url, started)


def _wait(url: str, processes: list[subprocess.Popen[bytes]], log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if any(item.poll() is not None for item in processes):
            raise RuntimeError(f"a web process ended: {log.read_text()[-2000:]}")
        with contextlib.suppress(OSError), urllib.request.urlopen(url + "/readyz", timeout=2) as answer:
            if answer.status == 200:
                time.sleep(1.5)  # the others of the group are about as far
                return
        time.sleep(0.1)
    raise RuntimeError(f"the web processes did not start: {log.read_text()[-2000:]}")


def _terminate(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _cpu(pid: int, *, dead: bool = False) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(item) for item in fields[11 : 15 if dead else 13]) / TICKS


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(item) for item in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []
