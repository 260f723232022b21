"""Random kills under load, for any duration: `make torture`."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from tests.scenarios.clients import Client, Load
from tests.scenarios.process import up

KILLS = int(os.environ.get("VETRINA_TORTURE_KILLS", "200"))
WORDS = ["vetrina worker"] * 5 + ["vetrina serve"] * 3 + ["bin/postgres"] * 2
WELCOME, PACK = 20, 50


@pytest.mark.torture
def test_random_kills_under_load(tmp_path: Path) -> None:
    """Afterwards everything acknowledged exists and ended once, paid = granted, the ledger is consistent."""
    chance = random.Random(int(os.environ.get("VETRINA_TORTURE_SEED", "1")))
    bought: dict[Client, int] = {}
    with up(tmp_path, VETRINA_WEB_PROCESSES="2", VETRINA_WORKER_PROCESSES="2") as running:
        load = Load(running, accounts=8, patient=True)
        for client in load.clients:
            client.buy(running.url)
            bought[client] = 1
        load.begin()
        for number in range(KILLS):
            time.sleep(chance.uniform(0.2, 2.0))
            word = chance.choice(WORDS)
            if running.pids(word):
                running.kill(word)
            if number % 10 == 9:
                client = chance.choice(load.clients)
                client.buy(running.url)
                bought[client] += 1
        running.wait(60)
        load.end()
        for client in load.clients:
            own = [generation for owner, generation in load.acknowledged if owner is client]
            ends = [client.ended(generation, seconds=600) for generation in own]
            assert all(len(item["result_files"]) == (item["status"] == "completed") for item in ends)
            spent = sum(item["cost"] for item in ends if item["status"] == "completed")
            balance, held = client.balance()
            unknown = WELCOME + PACK * bought[client] - spent - balance
            assert held == 0 and unknown >= 0, (balance, held, unknown)
        completed = running.run("verify")
        assert completed.returncode == 0, completed.stdout + completed.stderr
