"""An account that has left traces everywhere, all of them canaries; and ways to look for them."""

from __future__ import annotations

import json
import subprocess
from uuid import UUID

import httpx2
import psycopg

from tests.server import Site
from tests.studio.helpers import wish
from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles.actions import Role
from vetrina.accounts.verification import actions as verification
from vetrina.core import audit
from vetrina.core.database.ids import AccountId
from vetrina.core.embedded.binaries import Binaries
from vetrina.core.settings.environment import Settings
from vetrina.demo.photos import path_of

PASSWORD = "a long enough canary one"
CANARIES = {
    "email": "canary.mail@example.com",
    "phone": "+4915199887766",
    "name": "Canary Name",
    "bio": "Canary bio",
    "handle": "canary-handle",
    "prompt": "a canary in the prompt",
    "file": "canary-file",
    "tag": "canary-tag",
    "agent": "CanaryBrowser/7",
    "ip": "203.0.113.77",
    "usage": "canary-usage",
    "key": "canary-key",
    "card": "****-canary",
    "letter": "canary letter",
}


async def full_life(site: Site, owner: str) -> tuple[AccountId, dict[str, str]]:
    """An account that has left traces everywhere, all of them canaries; and its bearer token."""
    response = await site.client.post(
        "/api/v1/auth/registration",
        json={"email": CANARIES["email"], "password": PASSWORD, "name": CANARIES["name"]},
        headers={"User-Agent": CANARIES["agent"]},
    )
    assert response.status_code == 201, response.text
    headers = {"Authorization": f"Bearer {response.json()['access_token']}", "User-Agent": CANARIES["agent"]}
    account = AccountId(UUID(response.json()["account"]["id"]))
    async with site.services.db.tx() as tx:
        await verification.confirm_identifier(tx, Identifier("email", CANARIES["email"]), kind="user", account=account)
    async with httpx2.AsyncClient(base_url=site.url + "/api/v1", headers=headers, timeout=60) as api:
        photo = path_of("coffee").read_bytes()
        file = await api.post(
            "/files", data={"category": "product_image"}, files={"file": (f"{CANARIES['file']}.jpg", photo, "image/jpeg")}
        )
        assert file.status_code == 201, file.text
        await api.patch(f"/files/{file.json()['id']}", json={"tags": [CANARIES["tag"]], "is_public": True})
        body = wish(file.json()["id"], prompt=CANARIES["prompt"])
        started = await api.post("/generations", json=body, headers={"Idempotency-Key": CANARIES["key"]})
        assert started.status_code == 201, started.text
        pack = next(item for item in (await api.get("/packs")).json()["items"] if item["name"] == "tokens_50")
        payment = (await api.post("/payments", json={"pack_id": pack["id"], "gateway": "sandbox"})).json()
        await site.client.post(payment["checkout_url"], data={"outcome": "paid"})
        await api.post("/auth/verifications", json={"email": CANARIES["email"], "purpose": "email_verify"})
    with psycopg.connect(owner, autocommit=True) as connection:
        run = connection.execute
        run("select set_config('accounts.proven', %s, false)", (str(account),))
        run(
            "update accounts.accounts set phone = %s, handle = %s, phone_verified_at = now() where id = %s",
            (CANARIES["phone"], CANARIES["handle"], account),
        )
        run("update accounts.users set bio = %s where account_id = %s", (CANARIES["bio"], account))
        run("update accounts.sessions set ip = %s where account_id = %s", (CANARIES["ip"], account))
        usage = json.dumps({"canary": CANARIES["usage"]})
        run("insert into core.usage (account_id, action, metadata) values (%s, 'thing_done', %s)", (account, usage))
        run("update payments.payments set card_mask = %s where account_id = %s", (CANARIES["card"], account))
        for recipient in (CANARIES["email"], CANARIES["phone"]):
            run(
                "insert into core.outbox (id, channel, recipient, body_text) values (core.new_id(), 'mail', %s, %s)",
                (recipient, CANARIES["letter"]),
            )
    async with site.services.db.tx() as tx:
        details = {"why": CANARIES["letter"]}
        await audit.record(tx, "thing_done", account, said=details, actor=audit.Actor("user", account, CANARIES["ip"]))
        await roles.grant(tx, account, Role.MEMBER)
    return account, headers


def dump(owner: str) -> str:
    """The whole database as text."""
    command = [Binaries.find().program("pg_dump"), "--inserts", "--no-owner", owner]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def found_in(text: str) -> set[str]:
    """The canaries that are somewhere in a text."""
    return {name for name, canary in CANARIES.items() if canary in text}


def bytes_of(settings: Settings, account: UUID) -> list[str]:
    """The account's files in the storage folder."""
    return [str(path) for path in (settings.data / "files").rglob("*") if path.is_file() and str(account) in str(path)]
