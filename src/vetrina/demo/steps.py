"""What the demo's stories have in common: an account, tokens from the sandbox, photographs, a picture made."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Any

import msgspec
from rich.progress import BarColumn, Progress, TextColumn

from vetrina.accounts.operator import actions as accounts
from vetrina.accounts.roles import queries as role_queries
from vetrina.core import settings
from vetrina.core.command_line.database_access import doing
from vetrina.core.database.connection import Tx
from vetrina.demo import outbox
from vetrina.demo.photos import path_of
from vetrina.demo.runner import Lie, Story


def register(story: Story, *, email: str | None = None, name: str = "Demo", password: str | None = None) -> dict[str, Any]:
    """A new account, signed in; the answer."""
    email = email or f"demo-{secrets.token_hex(5)}@example.com"
    body = {"email": email, "password": password or secrets.token_urlsafe(16), "name": name}
    made = story.call("POST", "/auth/registration", json=body, expect=201)
    story.sign_in(made["access_token"])
    confirm(story, email)
    return made


def confirm(story: Story, email: str) -> None:
    """Confirm the signed-in account's address, which brings its first tokens: by the mailed code where the site keeps its
    mail, or else in its database. Raises Lie."""
    if story.client.get("/api/v1/outbox").status_code == 200:
        letter = next(letter for letter in outbox.letters(story, email) if "Confirm" in letter["subject"])
        body = {"email": email, "purpose": "email_verify", "code": outbox.code(letter)}
        story.call("POST", "/auth/verifications/confirmation", json=body)
        return

    async def work(tx: Tx) -> None:
        account = await tx.one(role_queries.BY_EMAIL, kind="user", email=email)
        await accounts.confirm_email(tx, account, "user", email)

    asyncio.run(doing(settings.read(), work))


def buy(story: Story, pack: str, outcome: str = "paid") -> dict[str, Any]:
    """Go to the sandbox's checkout for a pack and end it with `outcome`; the payment afterwards."""
    packs = {each["name"]: each for each in story.call("GET", "/packs")["items"]}
    if pack not in packs:
        raise Lie(f"there is no pack {pack}; there are {', '.join(packs)}")
    payment = story.call(
        "POST",
        "/payments",
        json={"pack_id": packs[pack]["id"], "gateway": "sandbox"},
        headers={"Idempotency-Key": secrets.token_hex(8)},
        expect=201,
    )
    settle(story, payment, outcome)
    return story.call("GET", f"/payments/{payment['id']}")


def settle(story: Story, payment: dict[str, Any], outcome: str) -> None:
    """Do on the sandbox's checkout page what a person would."""
    page = story.client.get(payment["checkout_url"])
    if page.status_code != 200:
        raise Lie(f"the checkout page answered {page.status_code}")
    answer = story.client.post(payment["checkout_url"], data={"outcome": outcome})
    if answer.status_code not in {200, 303}:
        raise Lie(f"the checkout answered {answer.status_code}: {answer.text[:200]}")


def upload(story: Story, photo: str, category: str) -> dict[str, Any]:
    """Put a demo photograph into the library."""
    path = path_of(photo)
    files = {"file": (path.name, path.read_bytes(), "image/jpeg")}
    return story.call("POST", "/files", data={"category": category}, files=files, expect=201)


def generate(story: Story, wish: dict[str, Any], *, key: str | None = None) -> dict[str, Any]:
    """Begin a picture."""
    headers = {"Idempotency-Key": key} if key else {}
    return story.call("POST", "/generations", json=wish, headers=headers, expect=201)


def watch(story: Story, generation: str, until: Callable[[dict[str, Any]], bool] | None = None) -> list[dict[str, Any]]:
    """Follow a generation by its server-sent events, with a bar; the events."""
    events: list[dict[str, Any]] = []
    columns = [TextColumn("       "), BarColumn(bar_width=32), TextColumn("{task.percentage:>3.0f} % {task.description}")]
    with (
        Progress(*columns, console=story.console) as bar,
        story.client.stream("GET", f"/api/v1/generations/{generation}/events", timeout=300) as stream,
    ):
        task = bar.add_task("waiting", total=100)
        if stream.status_code != 200:
            raise Lie(f"the events answered {stream.status_code}")
        for line in stream.iter_lines():
            if line.startswith("data:"):
                event = msgspec.json.decode(line[5:].encode())
                events.append(event)
                bar.update(task, completed=event["progress"], description=event["step"] or event["status"])
                if until and until(event):
                    break
    return events
