"""Purchases while processes are killed: after restart and sweep every payment at the bank is granted."""

from __future__ import annotations

import contextlib
import json
import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from tests.fakes.zarinpal import MERCHANT, Fault, ZarinPalFake
from tests.scenarios.clients import Client
from tests.scenarios.process import Up, up

WELCOME, PACK = 20, 50
VICTIMS = ["vetrina serve", "vetrina worker", "bin/postgres"]


@dataclass
class Buyers:
    """Several buyers at once; some never return from the bank, some return twice."""

    running: Up
    bank: ZarinPalFake
    purchases: int
    accounts: int = 6
    seed: int = 1
    bought: dict[str, int] = field(default_factory=dict[str, int])
    """Number of payments at the bank, by account."""
    done: int = 0

    def __post_init__(self) -> None:
        self.clients = [Client(self.running) for _ in range(self.accounts)]
        packs = self.clients[0].again("GET", "/packs").json()["items"]
        self.pack = next(pack["id"] for pack in packs if pack["name"] == "tokens_50_irr")
        self._lock = threading.Lock()

    def run(self) -> None:
        """Buy until all purchases are made; raise any buyer's error."""
        with ThreadPoolExecutor(self.accounts) as pool:
            for item in [pool.submit(self._buyer, number) for number in range(self.accounts)]:
                item.result()

    def _buyer(self, number: int) -> None:
        client, chance = self.clients[number], random.Random(self.seed * 1000 + number)
        for _ in range(self.purchases // self.accounts + (number < self.purchases % self.accounts)):
            authority = self._checkout(client)
            if authority is not None:
                self._pay(authority, chance.random())
                with self._lock:
                    self.bought[str(number)] = self.bought.get(str(number), 0) + 1
            with self._lock:
                self.done += 1

    def _checkout(self, client: Client) -> str | None:
        """Return a checkout's authority; None if it was lost on the way and cannot be paid."""
        body = {"pack_id": self.pack, "gateway": "zarinpal"}
        answer = client.again("POST", "/payments", json=body, headers={"Idempotency-Key": uuid4().hex})
        if answer.status_code == 409:
            return None
        assert answer.status_code == 201, answer.text
        return answer.json()["checkout_url"].rpartition("/")[2]

    def _pay(self, authority: str, chance: float) -> None:
        """Pay at the bank; then one buyer in three closes the browser, one returns once, one twice at once."""
        self.bank.bank(authority, paid=True)
        path = f"{self.running.url}/payments/zarinpal/callback?Authority={authority}&Status=OK"

        def back() -> None:
            with contextlib.suppress(httpx2.HTTPError):  # the site was just killed: the buyer sees an error and leaves
                httpx2.get(path, timeout=10)

        again = 0 if chance < 1 / 3 else 1 if chance < 2 / 3 else 2
        threads = [threading.Thread(target=back) for _ in range(again)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def killing(running: Up, buyers: Buyers, kills: int, seed: int) -> int:
    """Kill a process after every few purchases until all are made; return the number of kills."""
    chance = random.Random(seed)
    killed = 0
    while buyers.done < buyers.purchases:
        if killed < kills and buyers.done * kills >= killed * buyers.purchases:
            word = VICTIMS[killed % len(VICTIMS)]
            if running.pids(word):
                running.kill(word)
                killed += 1
        time.sleep(chance.uniform(0.05, 0.2))
    return killed


def story(folder: Path, *, purchases: int, kills: int, seed: int) -> None:
    """Buy, kill, restart, sweep: paid = granted."""
    with ZarinPalFake() as bank:
        settings = {"ZARINPAL_MERCHANT_ID": MERCHANT, "ZARINPAL_API_BASE": bank.url, "VETRINA_SANDBOX": "off"}
        with up(folder, VETRINA_WEB_PROCESSES="2", VETRINA_WORKER_PROCESSES="1", **settings) as running:
            bank.often("verify", 0.2, Fault(status=502))
            buyers = Buyers(running, bank, purchases, seed=seed)
            work = threading.Thread(target=buyers.run)
            work.start()
            killed = killing(running, buyers, kills, seed)
            work.join(300)
            assert not work.is_alive() and killed == kills
            running.wait(60)
            bank.well()
            swept = running.run("payments", "sweep", "--json")
            assert swept.returncode == 0, swept.stdout + swept.stderr
            assert json.loads(swept.stdout)["away"] == 0

            taken = [session for session in bank.sessions.values() if session.state in {"PAID", "VERIFIED"}]
            assert len(taken) == sum(buyers.bought.values()) >= purchases * 0.8
            assert {item.state for item in taken} == {"VERIFIED"}, "money that nobody verified goes back to the buyer"
            for number, client in enumerate(buyers.clients):
                assert client.balance() == (WELCOME + PACK * buyers.bought.get(str(number), 0), 0)
            code, output = running.command("verify")
            assert code == 0, output
            again = running.run("payments", "sweep", "--json")
            assert json.loads(again.stdout)["paid"] == 0


def test_payments_are_granted_after_kills(tmp_path: Path) -> None:
    story(tmp_path, purchases=100, kills=6, seed=1)


@pytest.mark.torture
def test_a_thousand_purchases(tmp_path: Path) -> None:
    seed = int(os.environ.get("VETRINA_TORTURE_SEED", "1"))
    story(tmp_path, purchases=1000, kills=60, seed=seed)
