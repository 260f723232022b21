"""Steps shared by the demos: register, buy tokens in the sandbox, upload photographs, generate a picture."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Any

import msgspec
from rich.progress import BarColumn, Progress, TextColumn

from vetrina.accounts.operator import actions as accounts
from vetrina.accounts.roles import queries as role_queries
from vetrina.core.command_line.database_access import doing
from vetrina.core.database.connection import Tx
from vetrina.core.settings import environment as settings
from vetrina.demo import outbox
from vetrina.demo.photos import path_of
from vetrina.demo.runner import CheckFailed, DemoRun


def register(demo: DemoRun, *, email: str | None = None, name: str = "Demo", password: str | None = None) -> dict[str, Any]:
    """Register an account and sign in; return the response."""
    email = email or f"demo-{secrets.token_hex(5)}@example.com"
    body = {"email": email, "password": password or secrets.token_urlsafe(16), "name": name}
    registered = demo.call("POST", "/auth/registration", json=body, expect=201)
    demo.sign_in(registered["access_token"])
    confirm(demo, email)
    return registered


def confirm(demo: DemoRun, email: str) -> None:
    """Confirm the signed-in account's address, which grants its first tokens.

    The code is read from the outbox where the site keeps one, otherwise the address is confirmed in the database. Raises
    CheckFailed.
    """
    if demo.client.get("/api/v1/outbox").status_code == 200:
        letter = next(letter for letter in outbox.letters(demo, email) if "Confirm" in letter["subject"])
        body = {"email": email, "purpose": "email_verify", "code": outbox.code(letter)}
        demo.call("POST", "/auth/verifications/confirmation", json=body)
        return

    async def work(tx: Tx) -> None:
        account = await tx.fetch_one(role_queries.BY_EMAIL, kind="user", email=email)
        await accounts.confirm_email(tx, account, "user", email)

    asyncio.run(doing(settings.read(), work))


def buy(demo: DemoRun, pack: str, outcome: str = "paid") -> dict[str, Any]:
    """Buy a pack at the sandbox's checkout with `outcome`; return the payment."""
    packs = {item["name"]: item for item in demo.call("GET", "/packs")["items"]}
    if pack not in packs:
        raise CheckFailed(f"there is no pack {pack}; there are {', '.join(packs)}")
    payment = demo.call(
        "POST",
        "/payments",
        json={"pack_id": packs[pack]["id"], "gateway": "sandbox"},
        headers={"Idempotency-Key": secrets.token_hex(8)},
        expect=201,
    )
    settle(demo, payment, outcome)
    return demo.call("GET", f"/payments/{payment['id']}")


def settle(demo: DemoRun, payment: dict[str, Any], outcome: str) -> None:
    """Complete the sandbox's checkout page."""
    page = demo.client.get(payment["checkout_url"])
    if page.status_code != 200:
        raise CheckFailed(f"the checkout page answered {page.status_code}")
    answer = demo.client.post(payment["checkout_url"], data={"outcome": outcome})
    if answer.status_code not in {200, 303}:
        raise CheckFailed(f"the checkout answered {answer.status_code}: {answer.text[:200]}")


def upload(demo: DemoRun, photo: str, category: str) -> dict[str, Any]:
    """Upload a demo photograph to the library."""
    path = path_of(photo)
    files = {"file": (path.name, path.read_bytes(), "image/jpeg")}
    return demo.call("POST", "/files", data={"category": category}, files=files, expect=201)


def generate(demo: DemoRun, wish: dict[str, Any], *, key: str | None = None) -> dict[str, Any]:
    """Start a generation."""
    headers = {"Idempotency-Key": key} if key else {}
    return demo.call("POST", "/generations", json=wish, headers=headers, expect=201)


def watch(demo: DemoRun, generation: str, until: Callable[[dict[str, Any]], bool] | None = None) -> list[dict[str, Any]]:
    """Follow a generation by its server-sent events, with a progress bar; return the events."""
    events: list[dict[str, Any]] = []
    columns = [TextColumn("       "), BarColumn(bar_width=32), TextColumn("{task.percentage:>3.0f} % {task.description}")]
    with (
        Progress(*columns, console=demo.console) as bar,
        demo.client.stream("GET", f"/api/v1/generations/{generation}/events", timeout=300) as stream,
    ):
        task = bar.add_task("waiting", total=100)
        if stream.status_code != 200:
            raise CheckFailed(f"the events answered {stream.status_code}")
        for line in stream.iter_lines():
            if line.startswith("data:"):
                event = msgspec.json.decode(line[5:].encode())
                events.append(event)
                bar.update(task, completed=event["progress"], description=event["step"] or event["status"])
                if until and until(event):
                    break
    return events
