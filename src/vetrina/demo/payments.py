"""The story of the money: packs through every gateway, a plan month by month, what a denial says, and the books at the end.

The buyer's part at the bank is played against the fakes that `vetrina up --with-fakes` starts. A gateway that is not set
up, or that is not on this machine, is left out and named: nobody's real bank is ever asked.
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
from vetrina.demo.runner import Lie, Story

GOOD, DECLINED = "4242 4242 4242 4242", "4000 0000 0000 0002"
PATIENCE = 100
"""Seconds for a sweep to come by."""


def tell(story: Story) -> None:
    """The whole story. Raises Lie at the first thing that is not so."""
    with story.step("Ada signs up and has the free plan"):
        work.register(story, name="Ada")
        member = story.call("GET", "/membership")
        story.check("the plan is free", (member["plan"], member["state"]) == ("free", "active"), member)
        story.check("it includes 2 conversions and 5 uploads a month", _limits(story) == {"conversion": 2, "image_slot": 5})
    _uploads(story)
    _sandbox(story)
    _zarinpal(story)
    _card(story)
    _plan(story)
    _books(story)


def _limits(story: Story) -> dict[str, int]:
    return {each["asset"]: each["limit"] for each in story.call("GET", "/quotas")["items"]}


def _uploads(story: Story) -> None:
    with story.step("Uploads end where the plan does"):
        data = path_of("cat").read_bytes()
        answers = [
            story.client.post("/api/v1/files", data={"category": "album_image"}, files={"file": ("cat.jpg", data, "image/jpeg")})
            for _ in range(6)
        ]
        codes = [each.status_code for each in answers]
        story.check("five pictures go in, the sixth does not", codes == [201] * 5 + [402], codes)
        told = answers[-1].json()
        story.check("the denial names the bucket", told["bucket"] == "image_slot" and told["remaining"] == 0, told)
        story.check("and when it comes anew", bool(told["resets_at"]), told)
        story.say(told["detail"])


def _sandbox(story: Story) -> None:
    with story.step("Tokens through the test checkout"):
        before, _ = story.balance()
        declined = work.buy(story, "tokens_50", "declined")
        story.check("a declined card buys nothing", declined["status"] == "failed" and story.balance()[0] == before, declined)
        key = secrets.token_hex(8)
        opened = [_open(story, pack="tokens_50", gateway="sandbox", key=key) for _ in range(2)]
        story.check("sent twice with one Idempotency-Key it is one payment", opened[0]["id"] == opened[1]["id"])
        for _ in range(3):
            work.settle(story, opened[0], "paid")
        story.check("told three times that it is paid, 50 tokens came once", story.balance()[0] == before + 50, story.balance())


def _zarinpal(story: Story) -> None:
    with story.step("Rials through ZarinPal"):
        payment = _at_a_fake(story, pack="tokens_200_irr", gateway="zarinpal")
        if payment is None:
            return
        dollars = _try(story, pack="tokens_200", gateway="zarinpal")
        story.check("dollars are refused there", dollars.status_code == 422, dollars.text)
        before, _ = story.balance()
        back = _pay(payment, {"outcome": "paid"})
        story.check("the bank sends the buyer back to us", urlsplit(back).path == "/payments/zarinpal/callback", back)
        lie = back.replace("Status=OK", "Status=NOK") + "&Amount=1"
        with ThreadPoolExecutor(16) as pool:
            codes = {each.status_code for each in pool.map(_get, [lie] * 32)}
        story.check("32 callbacks at once, each with a lie in its query, are answered", codes == {303}, codes)
        paid = _until(story, payment, {"completed"})
        story.check("ZarinPal was asked: it is paid", paid["status"] == "completed", paid)
        story.check("200 tokens came once", story.balance()[0] == before + 200, story.balance()[0] - before)
        story.say(f"{paid['amount']:,} rials, reference {paid['reference']}, card {paid['card_mask']}")
    with story.step("A buyer pays and never comes back"):
        before, _ = story.balance()
        lost = _open(story, pack="tokens_50_irr", gateway="zarinpal")
        _pay(lost, {"outcome": "paid"})
        started = time.monotonic()
        found = _until(story, lost, {"completed"})
        story.check("the sweep finds the money", found["status"] == "completed", found)
        story.check("and 50 tokens come", story.balance()[0] == before + 50, story.balance())
        story.say(f"{time.monotonic() - started:.0f} s later; `vetrina payments sweep` asks at once")
    with story.step("Another one leaves the bank's page"):
        left = _open(story, pack="tokens_50_irr", gateway="zarinpal")
        httpx2.get(_pay(left, {"outcome": "left"}), timeout=60)
        ended = _until(story, left, {"failed", "cancelled"})
        story.check("it ends without a token", ended["status"] in {"failed", "cancelled"}, ended)


def _card(story: Story) -> None:
    with story.step("A card through Stripe"):
        payment = _at_a_fake(story, pack="tokens_200", gateway="stripe")
        if payment is None:
            return
        before, _ = story.balance()
        _pay(payment, {"card": DECLINED})
        story.check("a declined card buys nothing", story.balance()[0] == before)
        _pay(payment, {"card": GOOD})
        paid = _until(story, payment, {"completed"})
        story.check("another one pays, and the webhook tells", paid["status"] == "completed", paid)
        story.check("200 tokens came once", story.balance()[0] == before + 200, story.balance())
        story.say(f"{paid['reference']}, {paid['card_mask']}")


def _plan(story: Story) -> None:
    plans = {each["name"]: each for each in story.call("GET", "/plans")["items"]}
    with story.step("A plan for a month"):
        _buy_plan(story, plans["basic"])
        member = story.call("GET", "/membership")
        story.check("the Basic plan begins at once", member["plan"] == "basic", member)
        story.check("with its 20 conversions and 50 uploads", _limits(story) == {"conversion": 20, "image_slot": 50})
        story.say(f"until {member['period_end'][:10]}")
    with story.step("A larger one in the middle of the month"):
        opened = _order(story, plans["advanced"])
        full = plans["advanced"]["prices"][opened["currency"]]
        story.check("what is left of the month is taken off its price", opened["amount"] < full, opened["amount"])
        story.say(opened["description"])
        work.settle(story, opened, "paid")
        story.check("100 conversions, 200 uploads", _limits(story) == {"conversion": 100, "image_slot": 200})
        smaller = story.client.post("/api/v1/payments", json={"plan_id": plans["basic"]["id"], "gateway": "sandbox"})
        story.check("a smaller one cannot be bought on top", smaller.status_code == 409, smaller.text)
    with story.step("Down, away, and back again"):
        changed = story.call("POST", "/membership/downgrade", json={"plan_id": plans["basic"]["id"]})
        story.check("the smaller plan follows, not before the month ends", (changed["plan"], changed["next_plan"]) ==
                    ("advanced", "basic"), changed)  # fmt: skip
        ended = story.call("POST", "/membership/cancellation")
        story.check("cancelled, it stays until then", (ended["plan"], ended["next_plan"]) == ("advanced", "free"), ended)
        back = story.call("POST", "/membership/resumption")
        story.check("resumed, nothing follows it", back["next_plan"] is None, back)


def _books(story: Story) -> None:
    with story.step("The books"):
        entries = story.call("GET", "/wallet/entries", params={"limit": 100})["items"]
        for asset in ("token", "conversion", "image_slot"):
            lines = [each for each in reversed(entries) if each["asset"] == asset]
            total = sum(each["quantity"] for each in lines)
            story.check(f"the ledger of {asset}s adds up to the balance", total == story.balance(asset)[0], total)
            for each in lines:
                why = each["note"] or each["subject"]
                story.say(f"{each['quantity']:>+6} {each['balance_after']:>6}  {each['kind']:<8} {why}")
        paid = [each for each in story.call("GET", "/payments", params={"limit": 100})["items"] if each["status"] == "completed"]
        bought = sum(each["quantity"] or 0 for each in paid if each["asset"] == "token")
        granted = sum(each["quantity"] for each in entries if each["kind"] == "grant" and each["source"] == "purchase")
        story.check(f"paid = granted: {len(paid)} payments, {bought} tokens", bought == granted, granted)


def _buy_plan(story: Story, plan: dict[str, Any]) -> None:
    work.settle(story, _order(story, plan), "paid")


def _order(story: Story, plan: dict[str, Any]) -> dict[str, Any]:
    return story.call("POST", "/payments", json={"plan_id": plan["id"], "gateway": "sandbox"}, expect=201)


def _try(story: Story, *, pack: str, gateway: str, key: str | None = None) -> httpx2.Response:
    packs = {each["name"]: each for each in story.call("GET", "/packs")["items"]}
    if pack not in packs:
        raise Lie(f"there is no pack {pack}; there are {', '.join(packs)}")
    headers = {"Idempotency-Key": key or secrets.token_hex(8)}
    return story.client.post("/api/v1/payments", json={"pack_id": packs[pack]["id"], "gateway": gateway}, headers=headers)


def _open(story: Story, *, pack: str, gateway: str, key: str | None = None) -> dict[str, Any]:
    answer = _try(story, pack=pack, gateway=gateway, key=key)
    if answer.status_code != 201:
        raise Lie(f"no checkout: {answer.status_code} {answer.text[:200]}")
    return answer.json()


def _at_a_fake(story: Story, *, pack: str, gateway: str) -> dict[str, Any] | None:
    """A checkout at a gateway on this machine; None, said aloud, when there is none."""
    answer = _try(story, pack=pack, gateway=gateway)
    if answer.status_code == 422 and "not offered" in answer.text:
        story.say(f"left out: {gateway} is not set up here; `vetrina up --with-fakes` has one to play with")
        return None
    if answer.status_code != 201:
        raise Lie(f"no checkout: {answer.status_code} {answer.text[:200]}")
    payment = answer.json()
    if not _loopback(str(payment["checkout_url"])):
        story.say(f"left out: {gateway} is the real one, and this story does not pay with real money")
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
    """What the buyer does on the bank's page; where it sends them on to."""
    answer = httpx2.post(payment["checkout_url"], data=form, timeout=60)
    if answer.status_code not in {200, 303, 402, 422}:
        raise Lie(f"the bank's page answered {answer.status_code}: {answer.text[:200]}")
    return answer.headers.get("location", "")


def _until(story: Story, payment: dict[str, Any], ends: set[str]) -> dict[str, Any]:
    """The payment once it has ended so, or as it is when patience has."""
    until = time.monotonic() + PATIENCE
    while True:
        found = story.call("GET", f"/payments/{payment['id']}")
        if found["status"] in ends or time.monotonic() > until:
            return found
        time.sleep(0.5)
