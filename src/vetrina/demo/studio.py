"""`vetrina demo studio`: sign up, buy tokens, upload, generate, download; and requests that must be refused."""

from __future__ import annotations

import secrets
from typing import Any

from vetrina.demo import steps as work
from vetrina.demo.photos import PHOTOS, path_of
from vetrina.demo.runner import DemoRun

SIZE = 960
"""Long side of the demo's pictures, in pixels."""


def run(demo: DemoRun) -> None:
    """Run the demo. Raises CheckFailed at the first failed check."""
    with demo.step("The site is up"):
        demo.check("/readyz answers 200", demo.client.get("/readyz").status_code == 200)
    with demo.step("A visitor signs up"):
        registered = work.register(demo, name="Ada")
        welcome, _ = demo.balance()
        demo.check("the account has its welcome tokens", welcome > 0, welcome)
        demo.say(f"{registered['account']['email']}, {welcome} tokens")
    _top_up(demo)
    product, scene = _photographs(demo)
    done = _a_picture(demo, product, scene)
    _refusals(demo, product)
    _cancel(demo, product)
    _looking_back(demo, done)


def _top_up(demo: DemoRun) -> None:
    with demo.step("Tokens are bought in the sandbox checkout"):
        before, _ = demo.balance()
        declined = work.buy(demo, "tokens_50", "declined")
        demo.check("a declined card buys nothing", declined["status"] == "failed" and demo.balance()[0] == before, declined)
        packs = {pack["name"]: pack for pack in demo.call("GET", "/packs")["items"]}
        body = {"pack_id": packs["tokens_50"]["id"], "gateway": "sandbox"}
        payment = demo.call("POST", "/payments", json=body, expect=201)
        for _ in range(3):
            work.settle(demo, payment, "paid")
        paid = demo.call("GET", f"/payments/{payment['id']}")
        demo.check("the payment is completed", paid["status"] == "completed", paid["status"])
        after, _ = demo.balance()
        demo.check("paid three times, the wallet grew by 50 once", after == before + 50, after - before)


def _photographs(demo: DemoRun) -> tuple[dict[str, Any], dict[str, Any]]:
    with demo.step("Two photographs are uploaded"):
        product = work.upload(demo, "coffee", "product_image")
        scene = work.upload(demo, "room", "model_image")
        for photo, image in (("coffee", product), ("room", scene)):
            about = next(item for item in PHOTOS if item.name == photo)
            demo.say(f"{about.title}, by {about.author} ({about.licence}): {image['width']} x {image['height']}")
        anonymous = demo.client.build_request("GET", product["url"])
        anonymous.headers.pop("Authorization", None)
        response = demo.client.send(anonymous)
        demo.check("the signed link shows the picture", response.status_code == 200, response.status_code)
        demo.check("it was re-encoded", response.content != path_of("coffee").read_bytes())
        bare = demo.client.get(str(product["url"]).split("?")[0], headers={"Authorization": ""})
        demo.check("without the signature it is refused", bare.status_code in {401, 403, 404}, bare.status_code)
        return product, scene


def _a_picture(demo: DemoRun, product: dict[str, Any], scene: dict[str, Any]) -> dict[str, Any]:
    with demo.step("A style is chosen"):
        styles = {style["name"]: style for style in demo.call("GET", "/styles")["items"]}
        builtin = [style for style in styles.values() if style["engine"] == "builtin"]
        demo.check("at least ten styles need no key", len(builtin) >= 10, len(builtin))
        chosen = next(item for item in builtin if item["needs_product"] and item["needs_model"])
        demo.say(f"{chosen['title']}: {chosen['cost']} token. {chosen['description']}")
    with demo.step("The generation starts"):
        before, held = demo.balance()
        key = secrets.token_hex(8)
        wish = {
            "style_name": chosen["name"],
            "prompt": "An espresso on the table by the window",
            "product_files": [product["id"]],
            "model_files": [scene["id"]],
            "parameters": {"size": SIZE, "x": 0.62, "y": 0.315, "product_size": 0.15},
            "seed": 7,
        }
        generation = work.generate(demo, wish, key=key)
        demo.check(
            "it is pending at the style's price",
            generation["status"] == "pending" and generation["cost"] == chosen["cost"],
            generation,
        )
        again = work.generate(demo, wish, key=key)
        demo.check("sent twice with one Idempotency-Key it is one generation", again["id"] == generation["id"], again["id"])
        after, now_held = demo.balance()
        moved = (before - after, now_held - held)
        demo.check("its price is held once", moved == (generation["cost"],) * 2, moved)
    with demo.step("Progress is streamed"):
        events = work.watch(demo, generation["id"])
        shares = [event["progress"] for event in events]
        demo.check("progress never falls and comes in steps", shares == sorted(shares) and len(set(shares)) >= 3, shares)
        demo.check("it is completed", events[-1]["status"] == "completed", events[-1])
    with demo.step("The result is available"):
        done = demo.call("GET", f"/generations/{generation['id']}")
        result = done["result_files"][0]
        picture = demo.client.get(result["url"])
        demo.check("it can be downloaded", picture.status_code == 200 and picture.headers["content-type"].startswith("image/"))
        demo.check(f"its long side has {SIZE} pixels", max(result["width"], result["height"]) == SIZE, result)
        demo.check("it was charged once", demo.balance() == (before - generation["cost"], held), demo.balance())
        demo.say(f"{result['width']} x {result['height']}, {len(picture.content) / 1e6:.2f} MB, {done['processing_time_ms']} ms")
    return done


def _refusals(demo: DemoRun, product: dict[str, Any]) -> None:
    with demo.step("Bad input is refused and costs nothing"):
        before = demo.balance()
        files = {"file": ("cat.jpg", b"This is not a picture, whatever it is called.", "image/jpeg")}
        refused = demo.client.post("/api/v1/files", data={"category": "product_image"}, files=files)
        demo.check(f"a text named .jpg: {refused.status_code}", 400 <= refused.status_code < 500, refused.text)
        demo.say(refused.json()["detail"])
        for what, change in {
            "an unknown style": {"style_name": "nonsense"},
            "a setting out of range": {"parameters": {"wetness": 9}},
            "a file that is not one's own": {"product_files": ["0190b1f4-5c00-7000-8000-000000000000"]},
            "a product in the place of a scene": {"product_files": [], "model_files": [product["id"]]},
        }.items():
            wish = {"style_name": "watercolour", "product_files": [product["id"]], **change}
            answer = demo.client.post("/api/v1/generations", json=wish)
            demo.check(f"{what}: {answer.status_code}", 400 <= answer.status_code < 500, answer.text)
        demo.check("nothing was charged", demo.balance() == before, demo.balance())


def _cancel(demo: DemoRun, product: dict[str, Any]) -> None:
    with demo.step("A picture is cancelled while it is being made"):
        before = demo.balance()
        generation = work.generate(demo, {"style_name": "oil", "product_files": [product["id"]], "parameters": {"size": 3200}})
        work.watch(demo, generation["id"], until=lambda event: event["progress"] > 0)
        ended = demo.call("POST", f"/generations/{generation['id']}/cancellation")
        demo.check("it is cancelled", ended["status"] == "cancelled", ended["status"])
        demo.check("its tokens are back", demo.balance() == before, demo.balance())


def _looking_back(demo: DemoRun, done: dict[str, Any]) -> None:
    with demo.step("History"):
        history = demo.call("GET", "/generations", params={"status": "completed"})["items"]
        demo.check(
            "the history shows the finished picture", [generation["id"] for generation in history] == [done["id"]], len(history)
        )
        entries = demo.call("GET", "/wallet/entries", params={"limit": 100})["items"]
        total = sum(entry["quantity"] for entry in entries if entry["asset"] == "token")
        demo.check("the ledger adds up to the balance", total == demo.balance()[0], total)
        actions = {item["action"] for item in demo.call("GET", "/usage", params={"limit": 100})["items"]}
        expected = {"account_registered", "payment_completed", "file_uploaded", "generation_started", "generation_completed"}
        demo.check("every action is in the usage record", expected <= actions, sorted(actions))
        demo.call("DELETE", "/auth/session", expect=204)
        demo.check("signed out, nothing can be spent", demo.client.get("/api/v1/me").status_code in {401, 404})
