"""Dockerfile and compose.yaml: parsed, and their commands run in a plain directory where there is no Docker."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import shlex
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
import yaml
from moto.server import ThreadedMotoServer

from tests import postgres
from tests.rules.code import ROOT

BIN = Path(sys.executable).parent


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1].strip()) for line in lines]


def of(name: str) -> list[str]:
    """The arguments of the last stage's instructions of a kind."""
    stages = instructions()
    last = max(number for number, (kind, _) in enumerate(stages) if kind == "FROM")
    return [argument for kind, argument in stages[last:] if kind == name]


def compose() -> dict[str, Any]:
    """compose.yaml."""
    return yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))


def healthcheck() -> list[str]:
    """The command that the image is checked with."""
    return json.loads(of("HEALTHCHECK")[0].partition("CMD ")[2])


def environment(**more: str) -> dict[str, str]:
    """The image's environment, with the commands of this environment first in the path."""
    image = dict(pair.split("=", 1) for pair in shlex.split(of("ENV")[0]))
    return {**image, "PATH": f"{BIN}:{image['PATH']}", "PYTHONPATH": str(ROOT / "src"), **more}


def free_port() -> str:
    """A port of this machine on which nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


@asynccontextmanager
async def running(command: list[str], folder: Path, env: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command that runs, and ends within ten seconds of SIGTERM."""
    with (folder / f"{command[-1]}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, cwd=folder, env=env, stdout=log, stderr=log)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.wait(), 20)


async def handles_sigterm(process: asyncio.subprocess.Process) -> None:
    """Wait until a process has started, so far that it ends by itself. Raises TimeoutError after a minute."""
    async with asyncio.timeout(60):
        while process.returncode is None:
            caught = re.search(r"^SigCgt:\s*(\w+)$", Path(f"/proc/{process.pid}/status").read_text(), re.MULTILINE)
            if caught and int(caught[1], 16) >> (signal.SIGTERM - 1) & 1:
                return
            await asyncio.sleep(0.05)


async def becomes_healthy(process: asyncio.subprocess.Process, env: dict[str, str], folder: Path) -> None:
    """Run the image's check until it passes."""
    for _ in range(120):
        check = await asyncio.create_subprocess_exec(*healthcheck(), env=env, stderr=asyncio.subprocess.DEVNULL)
        if await check.wait() == 0:
            return
        assert process.returncode is None, "\n".join(file.read_text() for file in folder.glob("*.log"))
        await asyncio.sleep(0.5)
    raise AssertionError("\n".join(file.read_text() for file in folder.glob("*.log")))


def test_the_image_is_slim_runs_as_no_root_and_has_one_volume() -> None:
    assert {argument.split()[0] for kind, argument in instructions() if kind == "FROM"} == {"python:3.12-slim"}
    assert of("USER") == ["vetrina"] and of("VOLUME") == ["/data"]
    assert environment()["VETRINA_DATA"] == "/data"
    assert any(f"useradd --uid 10001 --create-home {of('USER')[0]}" in line for line in of("RUN"))
    assert not any("USER root" in f"{kind} {argument}" for kind, argument in instructions())


def test_files_copied_into_the_image_exist_and_are_not_ignored() -> None:
    stored = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    sources = [word for kind, line in instructions() if kind == "COPY" and "--from" not in line for word in line.split()[:-1]]
    assert len(sources) == 6
    assert set(sources) == stored
    assert [source for source in sources if not (ROOT / source).exists()] == []


def test_the_image_installs_locked_versions() -> None:
    created = "\n".join(argument for kind, argument in instructions() if kind == "RUN")
    assert "--require-hashes -r requirements.lock" in created and "--no-deps ." in created
    assert "--require-hashes -r requirements.lock" in (ROOT / "Makefile").read_text("utf-8")


def test_the_services_are_web_worker_database_and_storage() -> None:
    services = compose()["services"]
    assert {"web", "worker", "database", "storage"} <= set(services)
    for name, service in services.items():
        assert service.get("build") == "." or re.fullmatch(r"[a-z]+(?:/[a-z]+)?:[\w.-]+", service["image"]), name
        assert set(service.get("depends_on", {})) <= set(services)
    assert {volume.split(":")[0] for item in services.values() for volume in item.get("volumes", [])} == set(compose()["volumes"])
    ports = [port for item in services.values() for port in item.get("ports", [])]
    assert ports == ["127.0.0.1:8000:8000"], "nothing but the site is reached from outside"


def test_no_secret_has_a_default() -> None:
    text = (ROOT / "compose.yaml").read_text("utf-8")
    secret = set(re.findall(r"\$\{(\w*(?:KEY|SECRET|PASSWORD)\w*)([^}]*)\}", text))
    assert len(secret) == 4 and {ending for _, ending in secret} == {":?"}


@pytest.fixture
def bucket() -> Iterator[str]:
    """An S3-compatible server with the bucket that compose.yaml makes; its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.fixture
def own_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Names in the documentation exist: files, tables, constraints, calls, settings, commands; and the README's calls work."""
    monkeypatch.delenv("VETRINA_TEST_SERVER", raising=False)
    with postgres.server() as uri:
        yield uri


async def test_the_commands_of_compose_work_in_a_plain_directory(own_server: str, bucket: str, tmp_path: Path) -> None:
    services = compose()["services"]
    name = f"compose_{secrets.token_hex(6)}"
    values = {"DATABASE_PASSWORD": "unused", "STORAGE_KEY": "key", "STORAGE_SECRET": "secret"}
    values["VETRINA_SECRET_KEY"] = secrets.token_hex(32)

    def filled(service: str) -> dict[str, str]:
        chosen = {
            variable: re.sub(r"\$\{(\w+)(?::[?-]([^}]*))?\}", lambda found: values.get(found[1], found[2] or ""), value)
            for variable, value in services[service]["environment"].items()
        }
        assert chosen["VETRINA_DATABASE_URL"] == "postgresql://vetrina:unused@database:5432/vetrina"
        assert chosen["AWS_ENDPOINT_URL"] == "http://storage:9000"
        chosen |= {"VETRINA_DATABASE_URL": re.sub(r"/[^/]*$", f"/{name}", own_server), "AWS_ENDPOINT_URL": bucket}
        return environment(VETRINA_DATA=str(tmp_path), VETRINA_PORT=port, VETRINA_HOST="127.0.0.1", HOME=str(tmp_path)) | chosen

    port = free_port()
    with psycopg.connect(own_server, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    try:
        bucket_name = services["web"]["environment"]["VETRINA_STORAGE_URL"].removeprefix("s3://")
        assert f"mc mb --ignore-existing store/{bucket_name}" in services["bucket"]["command"][0]
        async with httpx2.AsyncClient(trust_env=False) as client:
            assert (await client.put(f"{bucket}/{bucket_name}")).status_code == 200
        migrate = await asyncio.create_subprocess_exec(*services["migrate"]["command"], env=filled("migrate"), cwd=tmp_path)
        assert await migrate.wait() == 0
        web, worker = filled("web"), filled("worker")
        async with running(services["web"]["command"], tmp_path, web) as process:
            await becomes_healthy(process, web, tmp_path)
            async with running(services["worker"]["command"], tmp_path, worker) as second:
                await handles_sigterm(second)
                await asyncio.sleep(1)
                assert second.returncode is None, (tmp_path / "worker.log").read_text()
        assert (process.returncode, second.returncode) == (0, 0)
    finally:
        with psycopg.connect(own_server, autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)".encode())


async def test_the_command_of_the_image_works_in_a_plain_directory(tmp_path: Path) -> None:
    env = environment(VETRINA_DATA=str(tmp_path / "data"), VETRINA_HOST="127.0.0.1", VETRINA_PORT=free_port(), HOME=str(tmp_path))
    async with running(json.loads(of("CMD")[0]), tmp_path, env) as process:
        await becomes_healthy(process, env, tmp_path)
    assert process.returncode == 0
