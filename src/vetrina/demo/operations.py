"""What the demo's operator finds: a year of members, payments with a refund, a report, pages, notes and credits."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

from vetrina.core.command_line.database_access import doing
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import new_id
from vetrina.core.settings.environment import Settings
from vetrina.demo import cogento_events
from vetrina.demo import steps as work
from vetrina.demo.runner import CheckFailed, DemoRun
from vetrina.demo.seed import Login
from vetrina.payments.webhooks.event_types import STRIPE_EVENTS
from vetrina.stripe_mirror import events
from vetrina.stripe_mirror.ingest import actions as ingest

FILE = "demo-operations.done"
MEMBERS = 60
BATCH = 500
"""Events in one statement."""

PAGES = {
    "terms": "# Terms\n\nThis is a demonstration. Pictures are made on this server and belong to the person who made them.",
    "privacy": "# Privacy\n\nThis demonstration keeps an address, what you upload and what you make, until you delete it.",
    "refunds": "# Refunds\n\nTokens that were not spent are refunded within fourteen days. A failed picture costs nothing.",
    "imprint": "# Imprint\n\nVetrina, a demonstration. Example Street 1, Example Town.",
    "contact": "# Contact\n\nWrite to operator@example.com. We answer within two working days.",
}


def seed(demo: DemoRun, settings: Settings, operator: Login, owner: Login) -> None:
    """Fill the operators' pages, once per data folder. Raises CheckFailed.

    Where Stripe is set up, members come from there and none are made up.
    """
    file = settings.data / FILE
    if file.exists():
        return
    if not settings.stripe_api_key:
        _members(settings)
    account, payment = _payments(demo, owner)
    pictures = demo.call("GET", "/generations", params={"limit": 100})["items"]
    _reported(demo, account, pictures)
    _sign_in(demo, operator)
    _operate(demo, account, payment)
    _mark(file)


def _members(settings: Settings) -> None:
    """Mirror a year of made-up Stripe events of a membership; the reports follow within a minute."""
    world = cogento_events.make("demo", int(time.time()) - 30, members=MEMBERS)
    bodies = [events.read(json.dumps(event).encode()) for event in world.events]

    async def store(tx: Tx) -> None:
        for start in range(0, len(bodies), BATCH):
            await ingest.ingest_events(tx, bodies[start : start + BATCH], list(STRIPE_EVENTS))

    asyncio.run(doing(settings, store))


def _payments(demo: DemoRun, owner: Login) -> tuple[str, dict[str, Any]]:
    """Buy as the demo account: a pack that will be refunded, one that the bank declines, one that is left."""
    _sign_in(demo, owner)
    account = str(demo.call("GET", "/me")["id"])
    refunded = work.buy(demo, "tokens_50")
    for outcome in ("declined", "cancelled"):
        work.buy(demo, "tokens_200", outcome)
    return account, refunded


def _reported(demo: DemoRun, account: str, pictures: list[dict[str, Any]]) -> None:
    """Report one public picture as a visitor."""
    for picture in pictures:
        for result in picture["result_files"]:
            path = f"/api/v1/public-pictures/{account}/{result['id']}/reports"
            if demo.client.post(path, json={"reason": "other"}).status_code == 202:
                return


def _operate(demo: DemoRun, account: str, payment: dict[str, Any]) -> None:
    """Write a note, give credits, refund the payment in part, and write the site's pages."""
    demo.call(
        "POST", f"/operator/accounts/{account}/notes", json={"text": "Asked how to print large. Answered by mail."}, expect=201
    )
    body = {"quantity": 5, "reason": "For the picture of the week"}
    demo.call("POST", f"/operator/accounts/{account}/credits", json=body, expect=201)
    refund = {"id": str(new_id()), "amount": "1.00", "reason": "Bought by mistake"}
    _post(demo, f"/operator/payments/{account}/{payment['id']}/refunds", refund)
    for name, text in PAGES.items():
        _post(demo, f"/operator/pages/{name}/en", {"body": text})


def _post(demo: DemoRun, path: str, form: dict[str, str]) -> None:
    answer = demo.client.post(path, data=form)
    if answer.status_code != 303:
        raise CheckFailed(f"{path} answered {answer.status_code}: {answer.text[:200]}")


def _sign_in(demo: DemoRun, login: Login) -> None:
    answer = demo.call("POST", "/auth/session", json={"email": login.email, "password": login.password}, expect=201)
    demo.sign_in(answer["access_token"])


def _mark(file: Path) -> None:
    file.write_text("", "utf-8")
