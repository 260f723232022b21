"""`vetrina demo studio`: sign up, top up, upload, generate, look at the picture; and what must be refused."""

from __future__ import annotations

import secrets
from typing import Any

from vetrina.demo import steps as work
from vetrina.demo.photos import PHOTOS, path_of
from vetrina.demo.runner import Story

SIZE = 960
"""Long side of the demo's pictures, in pixels."""


def tell(story: Story) -> None:
    """The whole story. Raises Lie at the first thing that is not so."""
    with story.step("The site is up"):
        story.check("/readyz answers 200", story.client.get("/readyz").status_code == 200)
    with story.step("A stranger signs up"):
        made = work.register(story, name="Ada")
        welcome, _ = story.balance()
        story.check("there is an account and it has its welcome tokens", welcome > 0, welcome)
        story.say(f"{made['account']['email']}, {welcome} tokens")
    _top_up(story)
    product, scene = _photographs(story)
    done = _a_picture(story, product, scene)
    _refusals(story, product)
    _cancel(story, product)
    _looking_back(story, done)


def _top_up(story: Story) -> None:
    with story.step("Tokens are bought in the sandbox checkout"):
        before, _ = story.balance()
        declined = work.buy(story, "tokens_50", "declined")
        story.check("a declined card buys nothing", declined["status"] == "failed" and story.balance()[0] == before, declined)
        packs = {each["name"]: each for each in story.call("GET", "/packs")["items"]}
        body = {"pack_id": packs["tokens_50"]["id"], "gateway": "sandbox"}
        payment = story.call("POST", "/payments", json=body, expect=201)
        for _ in range(3):
            work.settle(story, payment, "paid")
        paid = story.call("GET", f"/payments/{payment['id']}")
        story.check("the payment is completed", paid["status"] == "completed", paid["status"])
        after, _ = story.balance()
        story.check("told three times that it is paid, the wallet grew by 50 once", after == before + 50, after - before)


def _photographs(story: Story) -> tuple[dict[str, Any], dict[str, Any]]:
    with story.step("Two photographs go into the library"):
        product = work.upload(story, "coffee", "product_image")
        scene = work.upload(story, "room", "model_image")
        for photo, made in (("coffee", product), ("room", scene)):
            about = next(each for each in PHOTOS if each.name == photo)
            story.say(f"{about.title}, by {about.author} ({about.licence}): {made['width']} x {made['height']}")
        anonymous = story.client.build_request("GET", product["url"])
        anonymous.headers.pop("Authorization", None)
        shown = story.client.send(anonymous)
        story.check("whoever has the signed link sees the picture", shown.status_code == 200, shown.status_code)
        story.check("it was encoded anew, not passed on", shown.content != path_of("coffee").read_bytes())
        bare = story.client.get(str(product["url"]).split("?")[0], headers={"Authorization": ""})
        story.check("without the signature nobody does", bare.status_code in {401, 403, 404}, bare.status_code)
        return product, scene


def _a_picture(story: Story, product: dict[str, Any], scene: dict[str, Any]) -> dict[str, Any]:
    with story.step("A style is chosen, its price is known"):
        styles = {each["name"]: each for each in story.call("GET", "/styles")["items"]}
        builtin = [each for each in styles.values() if each["engine"] == "builtin"]
        story.check("at least ten styles need no key", len(builtin) >= 10, len(builtin))
        chosen = next(each for each in builtin if each["needs_product"] and each["needs_model"])
        story.say(f"{chosen['title']}: {chosen['cost']} token. {chosen['description']}")
    with story.step("The picture is begun"):
        before, held = story.balance()
        key = secrets.token_hex(8)
        wish = {
            "style_name": chosen["name"],
            "prompt": "An espresso on the table by the window",
            "product_files": [product["id"]],
            "model_files": [scene["id"]],
            "parameters": {"size": SIZE, "x": 0.62, "y": 0.315, "product_size": 0.15},
            "seed": 7,
        }
        made = work.generate(story, wish, key=key)
        story.check("it is pending and costs what was said", made["status"] == "pending" and made["cost"] == chosen["cost"], made)
        again = work.generate(story, wish, key=key)
        story.check("sent twice with one Idempotency-Key it is one generation", again["id"] == made["id"], again["id"])
        after, now_held = story.balance()
        moved = (before - after, now_held - held)
        story.check("its price is set aside once", moved == (made["cost"],) * 2, moved)
    with story.step("One watches the progress"):
        events = work.watch(story, made["id"])
        shares = [each["progress"] for each in events]
        story.check("progress never falls and comes in steps", shares == sorted(shares) and len(set(shares)) >= 3, shares)
        story.check("it is completed", events[-1]["status"] == "completed", events[-1])
    with story.step("The result is there"):
        done = story.call("GET", f"/generations/{made['id']}")
        result = done["result_files"][0]
        picture = story.client.get(result["url"])
        story.check("it can be fetched", picture.status_code == 200 and picture.headers["content-type"].startswith("image/"))
        story.check(f"its long side has {SIZE} pixels", max(result["width"], result["height"]) == SIZE, result)
        story.check("it was charged once", story.balance() == (before - made["cost"], held), story.balance())
        story.say(f"{result['width']} x {result['height']}, {len(picture.content) / 1e6:.2f} MB, {done['processing_time_ms']} ms")
    return done


def _refusals(story: Story, product: dict[str, Any]) -> None:
    with story.step("Bad input is refused and costs nothing"):
        before = story.balance()
        files = {"file": ("cat.jpg", b"This is not a picture, whatever it is called.", "image/jpeg")}
        refused = story.client.post("/api/v1/files", data={"category": "product_image"}, files=files)
        story.check(f"a text named .jpg: {refused.status_code}", 400 <= refused.status_code < 500, refused.text)
        story.say(refused.json()["detail"])
        for what, change in {
            "an unknown style": {"style_name": "nonsense"},
            "a setting out of range": {"parameters": {"wetness": 9}},
            "a file that is not one's own": {"product_files": ["0190b1f4-5c00-7000-8000-000000000000"]},
            "a product in the place of a scene": {"product_files": [], "model_files": [product["id"]]},
        }.items():
            wish = {"style_name": "watercolour", "product_files": [product["id"]], **change}
            answer = story.client.post("/api/v1/generations", json=wish)
            story.check(f"{what}: {answer.status_code}", 400 <= answer.status_code < 500, answer.text)
        story.check("nothing was charged", story.balance() == before, story.balance())


def _cancel(story: Story, product: dict[str, Any]) -> None:
    with story.step("A picture is cancelled while it is being made"):
        before = story.balance()
        made = work.generate(story, {"style_name": "oil", "product_files": [product["id"]], "parameters": {"size": 3200}})
        work.watch(story, made["id"], until=lambda event: event["progress"] > 0)
        ended = story.call("POST", f"/generations/{made['id']}/cancellation")
        story.check("it is cancelled", ended["status"] == "cancelled", ended["status"])
        story.check("its tokens are back", story.balance() == before, story.balance())


def _looking_back(story: Story, done: dict[str, Any]) -> None:
    with story.step("Looking back"):
        history = story.call("GET", "/generations", params={"status": "completed"})["items"]
        story.check("the history shows the finished picture", [each["id"] for each in history] == [done["id"]], len(history))
        entries = story.call("GET", "/wallet/entries", params={"limit": 100})["items"]
        total = sum(each["quantity"] for each in entries if each["asset"] == "token")
        story.check("the ledger adds up to the balance", total == story.balance()[0], total)
        actions = {each["action"] for each in story.call("GET", "/usage", params={"limit": 100})["items"]}
        wanted = {"account_registered", "payment_completed", "file_uploaded", "generation_started", "generation_completed"}
        story.check("every action is on record", wanted <= actions, sorted(actions))
        story.call("DELETE", "/auth/session", expect=204)
        story.check("signed out, nothing can be spent", story.client.get("/api/v1/me").status_code in {401, 404})
