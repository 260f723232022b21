"""Payments: packs through every gateway, a plan over several months, refused payments, and the ledger check at the end.

The buyer's part on the bank's page is played against the fakes that `vetrina up --with-fakes` starts. Gateways that are not
configured, or not on this machine, are skipped and named: no real bank is contacted.
"""

from __future__ import annotations

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx2

from vetrina.demo import steps as work
from vetrina.demo.photos import path_of
from vetrina.demo.runner import CheckFailed, DemoRun

GOOD, DECLINED = "4242 4242 4242 4242", "4000 0000 0000 0002"
PATIENCE = 100
"""Seconds to wait for a periodic sweep."""


def run(demo: DemoRun) -> None:
    """Run the demo. Raises CheckFailed at the first failed check."""
    with demo.step("Ada signs up and has the free plan"):
        work.register(demo, name="Ada")
        member = demo.call("GET", "/membership")
        demo.check("the plan is free", (member["plan"], member["state"]) == ("free", "active"), member)
        demo.check("it includes 2 conversions and 5 uploads a month", _limits(demo) == {"conversion": 2, "image_slot": 5})
    _uploads(demo)
    _sandbox(demo)
    _zarinpal(demo)
    _card(demo)
    _plan(demo)
    _books(demo)


def _limits(demo: DemoRun) -> dict[str, int]:
    return {quota["asset"]: quota["limit"] for quota in demo.call("GET", "/quotas")["items"]}


def _uploads(demo: DemoRun) -> None:
    with demo.step("Uploads stop at the plan's limit"):
        data = path_of("cat").read_bytes()
        answers = [
            demo.client.post("/api/v1/files", data={"category": "album_image"}, files={"file": ("cat.jpg", data, "image/jpeg")})
            for _ in range(6)
        ]
        codes = [answer.status_code for answer in answers]
        demo.check("five pictures are accepted, the sixth is not", codes == [201] * 5 + [402], codes)
        problem = answers[-1].json()
        demo.check("the refusal names the quota", problem["bucket"] == "image_slot" and problem["remaining"] == 0, problem)
        demo.check("and its reset date", bool(problem["resets_at"]), problem)
        demo.say(problem["detail"])


def _sandbox(demo: DemoRun) -> None:
    with demo.step("Tokens through the test checkout"):
        before, _ = demo.balance()
        declined = work.buy(demo, "tokens_50", "declined")
        demo.check("a declined card buys nothing", declined["status"] == "failed" and demo.balance()[0] == before, declined)
        key = secrets.token_hex(8)
        opened = [_open(demo, pack="tokens_50", gateway="sandbox", key=key) for _ in range(2)]
        demo.check("sent twice with one Idempotency-Key it is one payment", opened[0]["id"] == opened[1]["id"])
        for _ in range(3):
            work.settle(demo, opened[0], "paid")
        demo.check("paid three times, 50 tokens were granted once", demo.balance()[0] == before + 50, demo.balance())


def _zarinpal(demo: DemoRun) -> None:
    with demo.step("Rials through ZarinPal"):
        payment = _at_a_fake(demo, pack="tokens_200_irr", gateway="zarinpal")
        if payment is None:
            return
        dollars = _try(demo, pack="tokens_200", gateway="zarinpal")
        demo.check("dollars are refused", dollars.status_code == 422, dollars.text)
        before, _ = demo.balance()
        back = _pay(payment, {"outcome": "paid"})
        demo.check("the bank redirects the buyer to the site", urlsplit(back).path == "/payments/zarinpal/callback", back)
        failure = back.replace("Status=OK", "Status=NOK") + "&Amount=1"
        with ThreadPoolExecutor(16) as pool:
            codes = {item.status_code for item in pool.map(_get, [failure] * 32)}
        demo.check("32 callbacks at once, each with a forged query, are answered", codes == {303}, codes)
        paid = _until(demo, payment, {"completed"})
        demo.check("ZarinPal confirms the payment", paid["status"] == "completed", paid)
        demo.check("200 tokens were granted once", demo.balance()[0] == before + 200, demo.balance()[0] - before)
        demo.say(f"{paid['amount']:,} rials, reference {paid['reference']}, card {paid['card_mask']}")
    with demo.step("A buyer pays and never comes back"):
        before, _ = demo.balance()
        lost = _open(demo, pack="tokens_50_irr", gateway="zarinpal")
        _pay(lost, {"outcome": "paid"})
        started = time.monotonic()
        completed = _until(demo, lost, {"completed"})
        demo.check("the sweep finds the payment", completed["status"] == "completed", completed)
        demo.check("50 tokens are granted", demo.balance()[0] == before + 50, demo.balance())
        demo.say(f"{time.monotonic() - started:.0f} s later; `vetrina payments sweep` polls at once")
    with demo.step("Another one leaves the bank's page"):
        left = _open(demo, pack="tokens_50_irr", gateway="zarinpal")
        httpx2.get(_pay(left, {"outcome": "left"}), timeout=60)
        ended = _until(demo, left, {"failed", "cancelled"})
        demo.check("it ends without tokens", ended["status"] in {"failed", "cancelled"}, ended)


def _card(demo: DemoRun) -> None:
    with demo.step("A card through Stripe"):
        payment = _at_a_fake(demo, pack="tokens_200", gateway="stripe")
        if payment is None:
            return
        before, _ = demo.balance()
        _pay(payment, {"card": DECLINED})
        demo.check("a declined card buys nothing", demo.balance()[0] == before)
        _pay(payment, {"card": GOOD})
        paid = _until(demo, payment, {"completed"})
        demo.check("another card pays, and the webhook confirms it", paid["status"] == "completed", paid)
        demo.check("200 tokens were granted once", demo.balance()[0] == before + 200, demo.balance())
        demo.say(f"{paid['reference']}, {paid['card_mask']}")


def _plan(demo: DemoRun) -> None:
    plans = {plan["name"]: plan for plan in demo.call("GET", "/plans")["items"]}
    with demo.step("A plan for a month"):
        _buy_plan(demo, plans["basic"])
        member = demo.call("GET", "/membership")
        demo.check("the Basic plan starts at once", member["plan"] == "basic", member)
        demo.check("it includes 20 conversions and 50 uploads", _limits(demo) == {"conversion": 20, "image_slot": 50})
        demo.say(f"until {member['period_end'][:10]}")
    with demo.step("A larger one in the middle of the month"):
        opened = _order(demo, plans["advanced"])
        full = plans["advanced"]["prices"][opened["currency"]]
        demo.check("the rest of the month is credited", opened["amount"] < full, opened["amount"])
        demo.say(opened["description"])
        work.settle(demo, opened, "paid")
        demo.check("100 conversions, 200 uploads", _limits(demo) == {"conversion": 100, "image_slot": 200})
        smaller = demo.client.post("/api/v1/payments", json={"plan_id": plans["basic"]["id"], "gateway": "sandbox"})
        demo.check("a smaller plan cannot be bought on top", smaller.status_code == 409, smaller.text)
    with demo.step("Downgrade, cancel and resume"):
        changed = demo.call("POST", "/membership/downgrade", json={"plan_id": plans["basic"]["id"]})
        demo.check("the smaller plan starts when the month ends", (changed["plan"], changed["next_plan"]) ==
                    ("advanced", "basic"), changed)  # fmt: skip
        ended = demo.call("POST", "/membership/cancellation")
        demo.check("cancelled, the plan stays until then", (ended["plan"], ended["next_plan"]) == ("advanced", "free"), ended)
        back = demo.call("POST", "/membership/resumption")
        demo.check("resumed, the plan renews", back["next_plan"] is None, back)


def _books(demo: DemoRun) -> None:
    with demo.step("The ledger"):
        entries = demo.call("GET", "/wallet/entries", params={"limit": 100})["items"]
        for asset in ("token", "conversion", "image_slot"):
            lines = [entry for entry in reversed(entries) if entry["asset"] == asset]
            total = sum(line["quantity"] for line in lines)
            demo.check(f"the ledger of {asset}s adds up to the balance", total == demo.balance(asset)[0], total)
            for line in lines:
                why = line["note"] or line["subject"]
                demo.say(f"{line['quantity']:>+6} {line['balance_after']:>6}  {line['kind']:<8} {why}")
        paid = [
            payment
            for payment in demo.call("GET", "/payments", params={"limit": 100})["items"]
            if payment["status"] == "completed"
        ]
        bought = sum(item["quantity"] or 0 for item in paid if item["asset"] == "token")
        granted = sum(entry["quantity"] for entry in entries if entry["kind"] == "grant" and entry["source"] == "purchase")
        demo.check(f"paid = granted: {len(paid)} payments, {bought} tokens", bought == granted, granted)


def _buy_plan(demo: DemoRun, plan: dict[str, Any]) -> None:
    work.settle(demo, _order(demo, plan), "paid")


def _order(demo: DemoRun, plan: dict[str, Any]) -> dict[str, Any]:
    return demo.call("POST", "/payments", json={"plan_id": plan["id"], "gateway": "sandbox"}, expect=201)


def _try(demo: DemoRun, *, pack: str, gateway: str, key: str | None = None) -> httpx2.Response:
    packs = {item["name"]: item for item in demo.call("GET", "/packs")["items"]}
    if pack not in packs:
        raise CheckFailed(f"there is no pack {pack}; there are {', '.join(packs)}")
    headers = {"Idempotency-Key": key or secrets.token_hex(8)}
    return demo.client.post("/api/v1/payments", json={"pack_id": packs[pack]["id"], "gateway": gateway}, headers=headers)


def _open(demo: DemoRun, *, pack: str, gateway: str, key: str | None = None) -> dict[str, Any]:
    answer = _try(demo, pack=pack, gateway=gateway, key=key)
    if answer.status_code != 201:
        raise CheckFailed(f"no checkout: {answer.status_code} {answer.text[:200]}")
    return answer.json()


def _at_a_fake(demo: DemoRun, *, pack: str, gateway: str) -> dict[str, Any] | None:
    """Start a checkout at a gateway on this machine; None, with a message, if there is none."""
    answer = _try(demo, pack=pack, gateway=gateway)
    if answer.status_code == 422 and "not offered" in answer.text:
        demo.say(f"skipped: {gateway} is not configured; `vetrina up --with-fakes` runs a fake")
        return None
    if answer.status_code != 201:
        raise CheckFailed(f"no checkout: {answer.status_code} {answer.text[:200]}")
    payment = answer.json()
    if not _loopback(str(payment["checkout_url"])):
        demo.say(f"skipped: {gateway} is the real one, and the demo does not pay with real money")
        return None
    return payment


def _loopback(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _get(address: str) -> httpx2.Response:
    return httpx2.get(address, timeout=60)


def _pay(payment: dict[str, Any], form: dict[str, str]) -> str:
    """Pay on the bank's page; return the address that it redirects to."""
    answer = httpx2.post(payment["checkout_url"], data=form, timeout=60)
    if answer.status_code not in {200, 303, 402, 422}:
        raise CheckFailed(f"the bank's page answered {answer.status_code}: {answer.text[:200]}")
    return answer.headers.get("location", "")


def _until(demo: DemoRun, payment: dict[str, Any], ends: set[str]) -> dict[str, Any]:
    """Return the payment once it has this status, or as it is after the timeout."""
    until = time.monotonic() + PATIENCE
    while True:
        current = demo.call("GET", f"/payments/{payment['id']}")
        if current["status"] in ends or time.monotonic() > until:
            return current
        time.sleep(0.5)
