"""Any process may be killed at any time: nothing acknowledged is lost or charged twice, and service recovers by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.clients import Client, Load
from tests.scenarios.process import Up, up


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Yield one Vetrina for all tests."""
    folder: Path = tmp_path_factory.mktemp("up")
    with up(folder, VETRINA_WEB_PROCESSES="2", VETRINA_WORKER_PROCESSES="1") as result:
        yield result


def books_are_right(running: Up) -> None:
    """Check that `vetrina verify` succeeds."""
    code, output = running.command("verify")
    assert code == 0, output


def test_a_killed_worker_leaves_one_result_and_one_charge(running: Up) -> None:
    client = Client(running)
    picture = client.upload()
    before, _ = client.balance()
    body = {"style_name": "oil", "product_files": [picture], "parameters": {"size": 3200}}
    created = client.again("POST", "/generations", json=body).json()["id"]
    until = time.monotonic() + 30
    while client.again("GET", f"/generations/{created}").json()["progress"] < 10:
        assert time.monotonic() < until
        time.sleep(0.05)
    running.kill("vetrina worker")
    killed = time.monotonic()
    while client.again("GET", f"/generations/{created}").json()["attempt"] < 2:
        assert time.monotonic() - killed < 45, "not taken up again"
        time.sleep(0.2)
    done = client.ended(created)
    assert done["status"] == "completed" and done["attempt"] == 2
    assert len(done["result_files"]) == 1
    assert client.balance() == (before - done["cost"], 0)
    books_are_right(running)


def test_a_killed_web_process_loses_nothing_acknowledged(running: Up) -> None:
    load = Load(running)
    load.begin()
    for _ in range(3):
        load.wait(4)
        running.kill("vetrina serve")
    running.wait(20)
    load.wait(4)
    load.end()
    all_there(running, load)


def test_killed_postgresql_restarts_with_all_data(running: Up) -> None:
    load = Load(running)
    for client in load.clients[:2]:
        client.buy(running.url)
    load.begin()
    load.wait(5)
    killed = running.kill("bin/postgres")
    running.wait_for_successor("bin/postgres", killed)
    assert running.wait(20) < 20
    load.wait(5)
    load.end()
    all_there(running, load)


def all_there(running: Up, load: Load) -> None:
    """Check that everything acknowledged exists and ends, and that each account paid for exactly that."""
    assert len(load.acknowledged) > 10
    for client in load.clients:
        own = {generation for owner, generation in load.acknowledged if owner is client}
        seen: list[dict[str, object]] = []
        cursor: str | None = None
        while True:
            page = client.again("GET", "/generations", params={"limit": 100, **({"cursor": cursor} if cursor else {})}).json()
            seen += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert own <= {str(item["id"]) for item in seen}
        for generation in own:
            client.again("POST", f"/generations/{generation}/cancellation")
    books_are_right(running)
