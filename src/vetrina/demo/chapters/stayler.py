"""AI Stayler: a phone, two free conversions, a refused third, a plan paid in rials, a vendor's album, a stolen token."""

from __future__ import annotations

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2

from vetrina.demo import outbox
from vetrina.demo import steps as work
from vetrina.demo.runner import DemoRun


def run(demo: DemoRun) -> None:
    """Run the demo. Raises CheckFailed at the first failed check."""
    with demo.step("Sara registers with her phone and confirms it with a code"):
        outbox.kept(demo)
        registered = _register(demo, name="Sara")
        demo.check("the number is confirmed", demo.call("GET", "/me")["phone_verified"])
    with demo.step("Two conversions are free, the third is refused"):
        file = work.upload(demo, "cat", "product_image")["id"]
        wish = {"file_id": file, "style_name": "watercolour", "parameters": {"size": 480}}
        answers = [demo.client.post("/api/v1/conversions", json=wish) for _ in range(3)]
        demo.check("two start", [item.status_code for item in answers] == [201, 201, 402], [item.text for item in answers])
        demo.check("free ones paid", all(item.json()["conversion"]["conversion_type"] == "free" for item in answers[:2]))
        problem = answers[2].json()
        demo.check("the refusal names bucket and reset", problem["bucket"] == "conversion" and problem["resets_at"], problem)
        demo.say(problem["detail"])
    _plan(demo, wish)
    _vendor(demo)
    with demo.step("A refresh token that was spent comes again"):
        first = {"refresh_token": registered["refresh_token"]}
        demo.client.headers.pop("Authorization", None)
        rotated = demo.call("POST", "/auth/refresh", json=first, expect=201)
        time.sleep(11)
        demo.call("POST", "/auth/refresh", json=first, expect=401)
        demo.call("POST", "/auth/refresh", json={"refresh_token": rotated["refresh_token"]}, expect=401)
        demo.check("after ten seconds it ends the session, with the token that followed", holds=True)


def _plan(demo: DemoRun, wish: dict[str, Any]) -> None:
    basic = next(plan for plan in demo.call("GET", "/plans")["items"] if plan["name"] == "basic")
    with demo.step("The Basic plan through ZarinPal, with twenty callbacks at once"):
        payment = demo.call("POST", "/payments", json={"plan_id": basic["id"], "gateway": "zarinpal"}, expect=201)
        back = httpx2.post(payment["checkout_url"], data={"outcome": "paid"}, timeout=60).headers["location"]
        with ThreadPoolExecutor(20) as pool:
            codes = {answer.status_code for answer in pool.map(_get, [back] * 20)}
        demo.check("all are answered", codes == {303}, codes)
        demo.check("the payment is completed", demo.call("GET", f"/payments/{payment['id']}")["status"] == "completed")
        limits = {quota["asset"]: quota["limit"] for quota in demo.call("GET", "/quotas")["items"]}
        demo.check("20 conversions were granted once", limits["conversion"] == 20, limits)
        started = demo.call("POST", "/conversions", json=wish, expect=201)
        demo.check("the plan pays for the next", started["conversion"]["paid_with"] == "plan", started)


def _vendor(demo: DemoRun) -> None:
    with demo.step("A business uploads ten images; the eleventh is refused"):
        demo.client.headers.pop("Authorization", None)
        _register(demo, name="Sara's prints", kind="vendor")
        images = [work.upload(demo, "cat", "album_image")["id"] for _ in range(10)]
        files = {"file": ("cat.jpg", b"", "image/jpeg")}
        refused = demo.client.post("/api/v1/files", data={"category": "album_image"}, files=files)
        demo.check("the eleventh is refused", refused.status_code == 402, refused.text)
        demo.say(refused.json()["detail"])
    with demo.step("An album of them is published"):
        album = demo.call("POST", "/albums", json={"name": "Cats"}, expect=201)
        demo.call("POST", f"/albums/{album['id']}/files", json={"file_ids": images}, expect=201)
        published = demo.call("PATCH", f"/albums/{album['id']}", json={"is_public": True})
        demo.check("it is public, with ten images", (published["is_public"], published["image_count"]) == (True, 10), published)


def _get(address: str) -> httpx2.Response:
    return httpx2.get(address, timeout=60)


def _register(demo: DemoRun, **body: Any) -> dict[str, Any]:
    phone = f"+98912{secrets.randbelow(9_000_000) + 1_000_000}"
    data = {"phone": phone, "password": secrets.token_urlsafe(16), **body}
    registered = demo.call("POST", "/auth/registration", json=data, expect=201)
    demo.sign_in(registered["access_token"])
    code = outbox.code(outbox.letters(demo, phone)[0])
    body = {"phone": phone, "purpose": "phone_verify", "code": code, "password": data["password"]}
    demo.call("POST", "/auth/verifications/confirmation", json={**body, "kind": data.get("kind", "user")})
    return registered
