"""What guards an account: its sessions, its history, a copy of everything, and being forgotten."""

from __future__ import annotations

import io
import json
import secrets
import time
import zipfile
from typing import Any

from vetrina.demo import steps as work
from vetrina.demo.runner import Story


def tell(story: Story) -> None:
    """The chapter."""
    email, password = f"grace-{secrets.token_hex(4)}@example.com", f"a long enough one, {secrets.token_hex(4)}"
    login = {"email": email, "password": password}
    _sessions(story, login)
    _limits(story)
    _history(story)
    _copy(story, email)
    _forgotten(story, login)


def _sessions(story: Story, login: dict[str, str]) -> None:
    with story.step("Grace is signed in on two devices"):
        work.register(story, email=login["email"], password=login["password"], name="Grace")
        lost = story.call("POST", "/auth/session", json=login, headers={"User-Agent": "LostPhone/1.0"}, expect=201)
        sessions = story.call("GET", "/sessions")["items"]
        for each in sessions:
            story.say(f"{each['device']}, {each['ip']}" + (", this one" if each["current"] else ""))
        story.check("both are listed", len(sessions) == 2 and "LostPhone, a program" in {each["device"] for each in sessions})
        other = next(each for each in sessions if not each["current"])
        story.call("POST", f"/sessions/{other['id']}/revocation", expect=204)
        refused = _until(story, lost["access_token"], 401)
        story.check("the lost one is signed out at once", refused)
    with story.step("A refresh token works once"):
        first = story.call("POST", "/auth/session", json=login, expect=201)
        second = story.call("POST", "/auth/refresh", json={"refresh_token": first["refresh_token"]}, expect=201)
        third = story.call("POST", "/auth/refresh", json={"refresh_token": second["refresh_token"]}, expect=201)
        story.call("POST", "/auth/refresh", json={"refresh_token": first["refresh_token"]}, expect=401)
        ended = story.client.post("/api/v1/auth/refresh", json={"refresh_token": third["refresh_token"]})
        story.check("an old one that comes again ends the session: it was stolen", ended.status_code == 401, ended.status_code)


def _limits(story: Story) -> None:
    with story.step("The site tells how often one may ask"):
        told = story.client.get("/api/v1/wallet").headers
        story.say(f"RateLimit-Policy: {told.get('ratelimit-policy')}, remaining {told.get('ratelimit-remaining')}")
        story.check("every answer says how the limit stands", "ratelimit-remaining" in told)


def _history(story: Story) -> None:
    with story.step("What happened is written down"):
        rows = story.call("GET", "/audit-logs")["items"]
        for row in rows[:4]:
            story.say(f"{row['action'].replace('_', ' ')}, by {row['by']}" + (f", from {row['ip']}" if row["ip"] else ""))
        story.check(
            "signing up, in and out are there",
            {"account_registered", "signed_in", "session_ended"} <= {r["action"] for r in rows},
        )
        hidden = story.client.get("/api/v1/operator/audit-logs")
        story.check("everybody's log is for operators alone", hidden.status_code == 404, hidden.status_code)


def _copy(story: Story, email: str) -> None:
    with story.step("She takes everything along"):
        picture = work.upload(story, "coffee", "product_image")
        export = story.call("POST", "/exports", expect=202)
        until = time.monotonic() + 60
        while export["status"] == "pending" and time.monotonic() < until:
            time.sleep(0.2)
            export = story.call("GET", f"/exports/{export['id']}")
        story.check("the copy is made", export["status"] == "ready", export["status"])
        answer = story.client.get(export["url"])
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            names = archive.namelist()
            account: list[dict[str, Any]] = json.loads(archive.read("data/accounts.accounts.json"))
        story.say(f"{len(names)} files, {len(answer.content) / 1000:.0f} kB")
        story.check("with what is known of her", account[0]["email"] == email)
        story.check("and her picture", f"pictures/{picture['id']}.jpg" in names, names)


def _forgotten(story: Story, login: dict[str, str]) -> None:
    with story.step("She asks to be forgotten"):
        wrong = story.client.post("/api/v1/erasure", json={"confirmation": "yes", "password": login["password"]})
        story.check("only in so many words", wrong.status_code == 422, wrong.status_code)
        story.call("POST", "/erasure", json={"confirmation": "erase my account", "password": login["password"]}, expect=202)
        story.check("she is signed out", story.client.get("/api/v1/me").status_code == 401)
        story.client.headers.pop("Authorization", None)
        refused = story.client.post("/api/v1/auth/session", json=login)
        story.check("and the account opens no more", refused.status_code == 401, refused.status_code)
        until = time.monotonic() + 60
        again = story.client.post("/api/v1/auth/registration", json=login)
        while again.status_code == 409 and time.monotonic() < until:
            time.sleep(0.5)
            again = story.client.post("/api/v1/auth/registration", json=login)
        story.check("her address is free again: nothing knows it", again.status_code == 201, again.status_code)


def _until(story: Story, token: str, status: int, seconds: float = 2) -> bool:
    """Whether the site answers so to this access token within so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if story.client.get("/api/v1/wallet", headers={"Authorization": f"Bearer {token}"}).status_code == status:
            return True
        time.sleep(0.02)
    return False
