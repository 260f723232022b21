"""`vetrina up`: one command, one address; every killed process is restarted."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import psycopg
import pytest

from tests.scenarios.clients import Client
from tests.scenarios.process import Up, up
from vetrina.core.command_line import exit_codes as exits
from vetrina.core.embedded import Cluster, processes


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Yield a running instance; SIGTERM at the end must leave nothing behind and exit with 0."""
    with up(tmp_path_factory.mktemp("up"), VETRINA_WEB_PROCESSES="2", VETRINA_WORKER_PROCESSES="1") as result:
        yield result


def test_address_is_printed(running: Up) -> None:
    until(lambda: f"Vetrina is ready: {running.url}" in log(running))
    answer = httpx2.get(running.url + "/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})
    assert len(running.pids("vetrina serve")) == 2 and len(running.pids("vetrina worker")) == 1


def test_logs_are_json_lines(running: Up) -> None:
    httpx2.get(running.url + "/api/v1/packs", headers={"X-Request-Id": "known-to-the-test"})
    until(lambda: any("known-to-the-test" in line and "vetrina.web" in line for line in log(running).splitlines()))
    lines = [json.loads(line) for line in log(running).splitlines() if line.startswith("{")]
    ours = [line for line in lines if line.get("request_id") == "known-to-the-test"]
    request = next(line for line in ours if line["logger"] == "vetrina.web")  # the pool may log under the same id
    assert request["event"] == "request" and request["status"] == 200 and request["logger"] == "vetrina.web"
    assert request["process"] == "web" and request["pid"] in running.pids("vetrina serve")


def test_a_second_one_on_the_data_folder_is_refused(running: Up) -> None:
    second = running.run("up")
    assert second.returncode == exits.IN_USE
    assert f"in use by the process with id {running.process.pid}" in second.stderr
    assert running.ready()


def test_a_killed_web_process_is_replaced_and_the_site_goes_on(running: Up) -> None:
    before = set(running.pids("vetrina serve"))
    running.kill("vetrina serve")
    running.process.send_signal(signal.SIGSTOP)  # nothing replaces the dead one meanwhile
    try:
        for _ in range(20):  # one connection each: the other process accepts what waits for the dead one
            assert httpx2.get(running.url + "/healthz", timeout=20).status_code == 200
    finally:
        running.process.send_signal(signal.SIGCONT)
    until(lambda: len(set(running.pids("vetrina serve")) - before) == 1 and len(running.pids("vetrina serve")) == 2)


def test_killed_postgresql_restarts(running: Up) -> None:
    killed = running.kill("bin/postgres")
    until(lambda: bool(set(running.pids("bin/postgres")) - {killed}), 30)
    running.wait(30)
    assert running.command("verify")[0] == 0


def test_other_commands_connect_to_the_running_site(running: Up) -> None:
    document = json.loads(running.run("doctor", "--json").stdout)
    assert document["healthy"], [check for check in document["checks"] if check["state"] != "ok"]
    assert {check["name"]: check["state"] for check in document["checks"]}["migrations"] == "ok"
    with psycopg.connect(running.run("db", "uri", "--role", "owner").stdout.strip()) as connection:
        assert connection.info.user == "vetrina_owner"
    shell = running.run("db", "shell", "-c", "select current_user", "-tA")
    assert (shell.returncode, shell.stdout.strip()) == (0, "vetrina_app")
    assert running.run("db", "shell", "-c", "select nonsense").returncode == 1
    assert running.run("migrate").stdout == "nothing to apply\n"
    assert json.loads(running.run("verify", "--json").stdout) == {"clean": True, "faults": []}


def test_a_killed_supervisor_leaves_nothing_behind_and_the_next_one_starts(tmp_path: Path) -> None:
    process, environment = begin(tmp_path)
    name = processes.name_of(tmp_path / "data" / "postgres")
    process.kill()
    process.wait()
    # Immediately: the next start waits for the old PostgreSQL to end, and the port is free.
    process, _ = begin(tmp_path, environment)
    assert len(processes.postmasters(name)) == 1
    process.kill()
    process.wait()
    until(lambda: not processes.postmasters(name) and not processes.backends(name) and not children(tmp_path))


def test_sigterm_during_startup_stops_everything(tmp_path: Path) -> None:
    process = start(settings(tmp_path))
    until(lambda: (tmp_path / "data" / "vetrina.lock").exists() and (tmp_path / "data" / "postgres.json").exists())
    process.terminate()
    assert process.wait(20) == 0
    assert not children(tmp_path)


def test_open_event_stream_does_not_block_shutdown(tmp_path: Path) -> None:
    process, environment = begin(tmp_path)
    client = Client(Up(process, f"http://127.0.0.1:{environment['VETRINA_PORT']}", tmp_path / "data", environment))
    body = {"style_name": "oil", "product_files": [client.upload()]}
    generation = client.again("POST", "/generations", json=body).json()["id"]  # with no worker running
    with client.http.stream("GET", f"/generations/{generation}/events") as stream:
        assert next(stream.iter_lines())
        process.terminate()
        assert process.wait(8) == 0
    assert not children(tmp_path)


def test_second_interrupt_stops_immediately(tmp_path: Path) -> None:
    process, environment = begin(tmp_path)
    with socket.create_connection(("127.0.0.1", int(environment["VETRINA_PORT"]))) as slow:
        slow.sendall(b"POST /api/v1/auth/session HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")  # and never ends
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        started = time.monotonic()
        assert process.wait(60) == 0
        assert time.monotonic() - started < 9  # not after the 10 s of the first one
    assert not children(tmp_path)


def test_external_postgresql_replaces_the_embedded_one(tmp_path: Path) -> None:
    others = Cluster(tmp_path / "theirs", settings={"fsync": "off"})
    asyncio.run(others.start())
    try:
        with up(tmp_path, VETRINA_DATABASE_URL=others.uri("superuser", "postgres"), VETRINA_WEB_PROCESSES="1") as result:
            assert not result.pids("bin/postgres") and not (result.data / "postgres").exists()
            assert httpx2.get(result.url + "/api/v1/packs").json()["items"]
            assert result.command("verify")[0] == 0
            checks = json.loads(result.run("doctor", "--json").stdout)["checks"]
            assert "your own" in checks[0]["detail"]
    finally:
        asyncio.run(others.stop())


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ({"VETRINA_PORT": "many"}, exits.SETTINGS, "VETRINA_PORT must be a whole number"),
        ({"VETRINA_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"}, exits.DATABASE, "VETRINA_DATABASE_URL cannot be used"),
        ({"STRIPE_API_KEY": "sk_live_1"}, exits.SETTINGS, "VETRINA_SANDBOX_BESIDE_GATEWAYS"),
        ({"VETRINA_HOST": "no.such.host.invalid"}, exits.SETTINGS, "VETRINA_HOST is no address"),
        ({"VETRINA_DATA": "/proc/vetrina"}, exits.DATABASE, "The data folder /proc/vetrina cannot be created"),
    ],
)
def test_failure_is_one_line(given: dict[str, str], code: int, message: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "vetrina", "up"], env={**settings(tmp_path), **given}, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == code and message in ended.stderr and "Traceback" not in ended.stderr


def test_port_in_use_is_reported_before_anything_is_created(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = start({**settings(tmp_path), "VETRINA_PORT": port})
        assert process.wait(20) == exits.IN_USE
    assert f"Port {port} on 127.0.0.1 is in use" in (tmp_path / "up.log").read_text()
    assert not (tmp_path / "data" / "postgres").exists()


def settings(folder: Path) -> dict[str, str]:
    """Return the environment of an `up` with its own folder and port, and no worker."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("VETRINA_", "OPENAI_", "COMFYUI_"))}
    ours = {"VETRINA_DATA": str(folder / "data"), "VETRINA_PORT": "0", "VETRINA_SANDBOX": "on"}
    ours |= {"VETRINA_WEB_PROCESSES": "1", "VETRINA_WORKER_PROCESSES": "0"}
    return {**inherited, **ours}


def start(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start an instance."""
    with (Path(environment["VETRINA_DATA"]).parent / "up.log").open("wb") as file:
        return subprocess.Popen([sys.executable, "-m", "vetrina", "up"], env=environment, stdout=file, stderr=file)


def begin(folder: Path, environment: dict[str, str] | None = None) -> tuple[subprocess.Popen[bytes], dict[str, str]]:
    """Start an instance and wait until it prints its address; return the process and its environment with the port."""
    environment = environment or settings(folder)
    process = start(environment)

    def address() -> str:
        return (folder / "up.log").read_text().rpartition("Vetrina is ready: ")[2].strip() if process.poll() is None else "ended"

    until(lambda: address().startswith(("http", "ended")), 60)
    assert address().startswith("http"), (folder / "up.log").read_text()
    return process, {**environment, "VETRINA_PORT": address().rpartition(":")[2]}


def children(folder: Path) -> list[int]:
    """Return the pids of Vetrina's processes on this data folder."""
    result: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if f"VETRINA_DATA={folder}/data".encode() in (entry / "environ").read_bytes():
                    result.append(int(entry.name))
            except OSError:
                pass
    return result


def log(running: Up) -> str:
    """Return the output so far."""
    return (running.data.parent / "up.log").read_text()


def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until the condition holds; fail after `seconds`."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)
