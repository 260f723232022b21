"""The ways in: e-mail and phone, codes, a forgotten password, the second factor; and what a stranger must not learn."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any

from pyotp.totp import TOTP

from vetrina.demo.outbox import code, kept, letters
from vetrina.demo.runner import Story

CONFIRM, RESET = "/auth/verifications/confirmation", "/auth/password-reset/confirmation"


@dataclass
class Person:
    """Somebody of the story."""

    email: str
    phone: str
    password: str


def tell(story: Story) -> None:
    """The chapter."""
    mark = secrets.token_hex(4)
    ada = Person(
        f"ada-{mark}@example.com", f"+98912{secrets.randbelow(9_000_000) + 1_000_000}", f"a long enough one, {mark}"
    )
    with story.step("The site keeps its letters where they can be read"):
        kept(story)
        story.check("the outbox answers", True)
    _by_mail(story, ada)
    _by_phone(story, ada)
    _guessing(story, mark)
    _a_stranger(story, ada, mark)
    _forgotten(story, ada)
    _second_factor(story, ada)


def _by_mail(story: Story, ada: Person) -> None:
    with story.step("Ada registers with her e-mail address, as herself and as a business"):
        made = _register(story, email=ada.email, password=ada.password, name="Ada")
        business = _register(story, email=ada.email, password=ada.password, name="Ada's prints", kind="vendor")
        story.check("the business is another account", made["account"]["id"] != business["account"]["id"])
        again = story.client.post("/api/v1/auth/registration", json={"email": ada.email, "password": "something else, long"})
        story.check("the address cannot be taken twice", again.status_code == 409, again.status_code)
        story.check("and nothing of its owner is told", "Ada" not in again.text and made["account"]["id"] not in again.text)
    with story.step("A letter brings a code and a link"):
        sent = letters(story, ada.email, 3)
        told = [each["subject"] for each in sent]
        story.check("its owner hears of the second try", any("already" in each for each in told), told)
        letter = next(each for each in reversed(sent) if "Confirm" in each["subject"])
        story.say(f"{letter['subject']} to {letter['to']}")
        story.check("with a link and an HTML part", "/verify/link/" in letter["text"] and "<html" in (letter["html"] or ""))
        body = {"email": ada.email, "purpose": "email_verify", "code": code(letter), "password": ada.password}
        story.check("the code confirms", story.call("POST", CONFIRM, json=body)["verified"])
        story.call("POST", CONFIRM, json=body, expect=422)
        story.check("once", True)
        story.sign_in(made["access_token"])
        story.check("the account says so", story.call("GET", "/me")["email_verified"])
        _leave(story)


def _by_phone(story: Story, ada: Person) -> None:
    with story.step("She registers with her phone, and signs in with a code"):
        made = _register(story, phone=ada.phone, password=ada.password, headers={"Accept-Language": "fa"})
        story.check("there is an account with the number", made["account"]["phone"] == ada.phone, made["account"])
        sms = letters(story, ada.phone)[0]
        story.say(sms["text"].splitlines()[0])
        story.check("who reads Persian is written to in Persian", "کد" in sms["text"])
        body = {"phone": ada.phone, "purpose": "phone_verify", "code": code(sms), "password": ada.password}
        story.check("the code confirms the number", story.call("POST", CONFIRM, json=body)["verified"])
        story.call("POST", "/auth/verifications", json={"phone": ada.phone, "purpose": "sign_in"}, expect=202)
        sms = letters(story, ada.phone, 2)[0]
        signed = story.call("POST", "/auth/session", json={"phone": ada.phone, "code": code(sms)}, expect=201)
        story.check("another signs in without the password", signed["account"]["id"] == made["account"]["id"])
        twice = story.client.post("/api/v1/auth/session", json={"phone": ada.phone, "code": code(sms)})
        story.check("once", twice.status_code == 422, twice.status_code)


def _guessing(story: Story, mark: str) -> None:
    with story.step("Somebody guesses"):
        target = f"guessed-{mark}@example.com"
        _register(story, email=target, password=secrets.token_urlsafe(12))
        right = code(letters(story, target)[0])
        body = {"email": target, "purpose": "email_verify"}
        wrong = [f"{(int(right) + each) % 10**6:06}" for each in range(1, 6)]
        tried = [story.client.post(f"/api/v1{CONFIRM}", json={**body, "code": each}).status_code for each in wrong]
        story.check("five wrong codes are judged", tried == [422] * 5, tried)
        closed = story.client.post(f"/api/v1{CONFIRM}", json={**body, "code": right})
        story.check("then not even the right one", closed.status_code == 429, closed.status_code)
        story.say(closed.json()["detail"])
        resent = story.client.post("/api/v1/auth/verifications", json=body)
        story.check("and sending another forgives nothing", resent.status_code == 429, resent.status_code)


def _a_stranger(story: Story, ada: Person, mark: str) -> None:
    with story.step("A stranger asks who has an account"):
        told: list[list[Any]] = []
        for email in (ada.email, f"nobody-{mark}@example.com"):
            answers = [
                story.client.post("/api/v1/auth/session", json={"email": email, "password": "not the right one"}),
                story.client.post("/api/v1/auth/password-reset", json={"email": email}),
                story.client.post(f"/api/v1{RESET}", json={"email": email, "code": "1", "password": "long enough, this"}),
            ]
            told.append([(each.status_code, each.text) for each in answers])
        story.check("known and unknown are answered alike", told[0] == told[1], told)


def _forgotten(story: Story, ada: Person) -> None:
    with story.step("Ada has forgotten her password"):
        login = {"email": ada.email, "password": ada.password, "kind": "user"}
        before = story.call("POST", "/auth/session", json=login, expect=201)
        known = len(letters(story, ada.email))
        story.call("POST", "/auth/password-reset", json={"email": ada.email}, expect=202)
        letter = letters(story, ada.email, known + 1)[0]
        fresh = f"another one, {secrets.token_hex(4)}"
        story.call("POST", RESET, json={"email": ada.email, "code": code(letter), "password": fresh})
        story.sign_in(before["access_token"])
        story.check("every session has ended", story.client.get("/api/v1/me").status_code == 401)
        _leave(story)
        old = story.client.post("/api/v1/auth/session", json={"email": ada.email, "password": ada.password, "kind": "user"})
        story.check("the old password is good no more", old.status_code == 401, old.status_code)
        ada.password = fresh
        story.call("POST", "/auth/session", json={"email": ada.email, "password": fresh}, expect=201)
        business = {"email": ada.email, "kind": "vendor"}
        other = story.client.post("/api/v1/auth/session", json={**business, "password": fresh})
        story.check("the business keeps its own", other.status_code == 401, other.status_code)


def _second_factor(story: Story, ada: Person) -> None:
    with story.step("She sets up an authenticator"):
        login = {"email": ada.email, "password": ada.password, "kind": "user"}
        story.sign_in(story.call("POST", "/auth/session", json=login, expect=201)["access_token"])
        begun = story.call("POST", "/auth/second-factor", json={"password": ada.password}, expect=201)
        story.check("its secret comes as a picture, too", begun["qr"].startswith("<svg"), begun["qr"][:40])
        totp = TOTP(begun["secret"])
        recovery = story.call("POST", "/auth/second-factor/confirmation", json={"code": totp.now()})["recovery_codes"]
        story.check("with ten recovery codes", len(set(recovery)) == 10, len(recovery))
        _leave(story)
        asked = story.client.post("/api/v1/auth/session", json=login)
        story.check("the password alone lets nobody in", asked.status_code == 401, asked.status_code)
        step = "/auth/session/second-factor"
        used = {"challenge": asked.json()["challenge"], "code": totp.now()}
        seen = story.client.post(f"/api/v1{step}", json={**used, "code": totp.at(time.time() - 30)})
        story.check("a code that was passed is refused", seen.status_code == 422, seen.status_code)
        ahead = {**used, "code": totp.at(time.time() + 30)}
        story.check("the next one lets her in", "access_token" in story.call("POST", step, json=ahead, expect=201))
        spare = {**used, "code": recovery[0]}
        signed = story.call("POST", step, json=spare, expect=201)
        story.check("and so does a recovery code", "access_token" in signed)
        story.check("once", story.client.post(f"/api/v1{step}", json=spare).status_code == 422)
        story.sign_in(signed["access_token"])
        story.call("POST", "/auth/second-factor/removal", json={"password": ada.password}, expect=204)
        _leave(story)
        story.call("POST", "/auth/session", json=login, expect=201)
        story.check("turned off with the password, the password is enough", True)


def _register(story: Story, *, headers: dict[str, str] | None = None, **body: str) -> dict[str, Any]:
    return story.call("POST", "/auth/registration", json=body, headers=headers or {}, expect=201)


def _leave(story: Story) -> None:
    story.client.headers.pop("Authorization", None)
