"""Sessions, audit log, data export and erasure of an account."""

from __future__ import annotations

import io
import json
import secrets
import time
import zipfile
from typing import Any

from vetrina.demo import steps as work
from vetrina.demo.runner import DemoRun


def run(demo: DemoRun) -> None:
    """Run the chapter."""
    email, password = f"grace-{secrets.token_hex(4)}@example.com", f"a long enough one, {secrets.token_hex(4)}"
    login = {"email": email, "password": password}
    _sessions(demo, login)
    _limits(demo)
    _history(demo)
    _copy(demo, email)
    _forgotten(demo, login)


def _sessions(demo: DemoRun, login: dict[str, str]) -> None:
    with demo.step("Grace is signed in on two devices"):
        work.register(demo, email=login["email"], password=login["password"], name="Grace")
        lost = demo.call("POST", "/auth/session", json=login, headers={"User-Agent": "LostPhone/1.0"}, expect=201)
        sessions = demo.call("GET", "/sessions")["items"]
        for session in sessions:
            demo.say(f"{session['device']}, {session['ip']}" + (", this one" if session["current"] else ""))
        demo.check(
            "both are listed", len(sessions) == 2 and "LostPhone, a program" in {session["device"] for session in sessions}
        )
        other = next(session for session in sessions if not session["current"])
        demo.call("POST", f"/sessions/{other['id']}/revocation", expect=204)
        refused = _until(demo, lost["access_token"], 401)
        demo.check("the lost device is signed out at once", refused)
    with demo.step("A refresh token works once"):
        first = demo.call("POST", "/auth/session", json=login, expect=201)
        second = demo.call("POST", "/auth/refresh", json={"refresh_token": first["refresh_token"]}, expect=201)
        third = demo.call("POST", "/auth/refresh", json={"refresh_token": second["refresh_token"]}, expect=201)
        demo.call("POST", "/auth/refresh", json={"refresh_token": first["refresh_token"]}, expect=401)
        ended = demo.client.post("/api/v1/auth/refresh", json={"refresh_token": third["refresh_token"]})
        demo.check("a reused old token ends the session as stolen", ended.status_code == 401, ended.status_code)


def _limits(demo: DemoRun) -> None:
    with demo.step("Responses carry the rate limit"):
        headers = demo.client.get("/api/v1/wallet").headers
        demo.say(f"RateLimit-Policy: {headers.get('ratelimit-policy')}, remaining {headers.get('ratelimit-remaining')}")
        demo.check("every response has RateLimit headers", "ratelimit-remaining" in headers)


def _history(demo: DemoRun) -> None:
    with demo.step("The audit log records the actions"):
        rows = demo.call("GET", "/audit-logs")["items"]
        for row in rows[:4]:
            demo.say(f"{row['action'].replace('_', ' ')}, by {row['by']}" + (f", from {row['ip']}" if row["ip"] else ""))
        demo.check(
            "signing up, in and out are there",
            {"account_registered", "signed_in", "session_ended"} <= {r["action"] for r in rows},
        )
        hidden = demo.client.get("/api/v1/operator/audit-logs")
        demo.check("the site's log is for operators only", hidden.status_code == 404, hidden.status_code)


def _copy(demo: DemoRun, email: str) -> None:
    with demo.step("Grace exports her data"):
        picture = work.upload(demo, "coffee", "product_image")
        export = demo.call("POST", "/exports", expect=202)
        until = time.monotonic() + 60
        while export["status"] == "pending" and time.monotonic() < until:
            time.sleep(0.2)
            export = demo.call("GET", f"/exports/{export['id']}")
        demo.check("the export is ready", export["status"] == "ready", export["status"])
        answer = demo.client.get(export["url"])
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            names = archive.namelist()
            account: list[dict[str, Any]] = json.loads(archive.read("data/accounts.accounts.json"))
        demo.say(f"{len(names)} files, {len(answer.content) / 1000:.0f} kB")
        demo.check("it contains her account", account[0]["email"] == email)
        demo.check("it contains her picture", f"pictures/{picture['id']}.jpg" in names, names)


def _forgotten(demo: DemoRun, login: dict[str, str]) -> None:
    with demo.step("Grace erases her account"):
        wrong = demo.client.post("/api/v1/erasure", json={"confirmation": "yes", "password": login["password"]})
        demo.check("a wrong confirmation is refused", wrong.status_code == 422, wrong.status_code)
        demo.call("POST", "/erasure", json={"confirmation": "erase my account", "password": login["password"]}, expect=202)
        demo.check("she is signed out", demo.client.get("/api/v1/me").status_code == 401)
        demo.client.headers.pop("Authorization", None)
        refused = demo.client.post("/api/v1/auth/session", json=login)
        demo.check("the account cannot sign in any more", refused.status_code == 401, refused.status_code)
        until = time.monotonic() + 60
        again = demo.client.post("/api/v1/auth/registration", json=login)
        while again.status_code == 409 and time.monotonic() < until:
            time.sleep(0.5)
            again = demo.client.post("/api/v1/auth/registration", json=login)
        demo.check("her address is free again", again.status_code == 201, again.status_code)


def _until(demo: DemoRun, token: str, status: int, seconds: float = 2) -> bool:
    """Return whether the site answers this access token with `status` within `seconds`."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if demo.client.get("/api/v1/wallet", headers={"Authorization": f"Bearer {token}"}).status_code == status:
            return True
        time.sleep(0.02)
    return False
