"""`vetrina up --with-fakes`: a card payment without keys, through every process."""

from __future__ import annotations

import re
import time
from pathlib import Path

import httpx2
import pytest

from tests.scenarios.process import up
from vetrina.commands import dev_fakes as fakes
from vetrina.core.processes.supervisor import CannotRun


def test_anyone_can_pay_by_card(tmp_path: Path) -> None:
    options = {"VETRINA_WEB_PROCESSES": "1", "VETRINA_WORKER_PROCESSES": "1", "STRIPE_API_KEY": "", "ZARINPAL_MERCHANT_ID": ""}
    with up(tmp_path, "--with-fakes", **options) as running, httpx2.Client(base_url=running.url + "/api/v1", timeout=30) as api:
        account = {"email": "ada@example.com", "password": "a long enough one"}
        token = api.post("/auth/registration", json=account).json()["access_token"]
        api.headers["Authorization"] = f"Bearer {token}"
        for gateway, currency in (("stripe", "USD"), ("zarinpal", "IRR")):
            packs = api.get("/packs").json()["items"]
            pack = next(item for item in packs if item["currency"] == currency and item["asset"] == "token")
            payment = api.post("/payments", json={"pack_id": pack["id"], "gateway": gateway}).json()
            with httpx2.Client(timeout=30) as buyer:
                form = {"card": fakes.CARD, "outcome": "paid"}
                answer = buyer.post(payment["checkout_url"], data=form)
                assert answer.status_code == 303 and answer.headers["location"].startswith(running.url)
                if gateway == "zarinpal":
                    buyer.get(answer.headers["location"])
            until = time.monotonic() + 30  # a Stripe buyer does not return: the webhook completes it
            while (now := api.get(f"/payments/{payment['id']}").json())["status"] == "pending" and time.monotonic() < until:
                time.sleep(0.2)
            assert now["status"] == "completed", now
        log = (tmp_path / "up.log").read_text()
        desk = re.search(r"renewals: (\S+)$", log, re.M)
        assert desk and "4242 4242 4242 4242" in log
        assert "The bank's desk" in httpx2.get(desk[1]).text
        running.kill("tests.fakes.stripe")  # it is restarted like the others


def test_missing_checkout_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fakes, "ROOT", tmp_path)
    with pytest.raises(CannotRun, match="source checkout"):
        fakes.fakes("http://127.0.0.1:8000")
