"""Sign-in by e-mail and phone, codes, password reset, second factor; and what must not be revealed to strangers."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any

from pyotp.totp import TOTP

from vetrina.demo.outbox import code, kept, letters
from vetrina.demo.runner import DemoRun

CONFIRM, RESET = "/auth/verifications/confirmation", "/auth/password-reset/confirmation"


@dataclass
class Person:
    """A user of the demo."""

    email: str
    phone: str
    password: str


def run(demo: DemoRun) -> None:
    """Run the chapter."""
    mark = secrets.token_hex(4)
    ada = Person(f"ada-{mark}@example.com", f"+98912{secrets.randbelow(9_000_000) + 1_000_000}", f"a long enough one, {mark}")
    with demo.step("The site keeps an outbox"):
        kept(demo)
        demo.check("the outbox answers", True)
    _by_mail(demo, ada)
    _by_phone(demo, ada)
    _guessing(demo, mark)
    _a_stranger(demo, ada, mark)
    _forgotten(demo, ada)
    _second_factor(demo, ada)


def _by_mail(demo: DemoRun, ada: Person) -> None:
    with demo.step("Ada registers with her e-mail address, as herself and as a business"):
        registered = _register(demo, email=ada.email, password=ada.password, name="Ada")
        business = _register(demo, email=ada.email, password=ada.password, name="Ada's prints", kind="vendor")
        demo.check("the business is another account", registered["account"]["id"] != business["account"]["id"])
        again = demo.client.post("/api/v1/auth/registration", json={"email": ada.email, "password": "something else, long"})
        demo.check("the address cannot be taken twice", again.status_code == 409, again.status_code)
        demo.check("its owner is not revealed", "Ada" not in again.text and registered["account"]["id"] not in again.text)
    with demo.step("A mail contains a code and a link"):
        sent = letters(demo, ada.email, 3)
        subjects = [item["subject"] for item in sent]
        demo.check("its owner is notified of the second attempt", any("already" in item for item in subjects), subjects)
        letter = next(item for item in reversed(sent) if "Confirm" in item["subject"])
        demo.say(f"{letter['subject']} to {letter['to']}")
        demo.check("it has a link and an HTML part", "/verify/link/" in letter["text"] and "<html" in (letter["html"] or ""))
        body = {"email": ada.email, "purpose": "email_verify", "code": code(letter), "password": ada.password}
        demo.check("the code confirms", demo.call("POST", CONFIRM, json=body)["verified"])
        demo.call("POST", CONFIRM, json=body, expect=422)
        demo.check("it works once", True)
        demo.sign_in(registered["access_token"])
        demo.check("the account says so", demo.call("GET", "/me")["email_verified"])
        _leave(demo)


def _by_phone(demo: DemoRun, ada: Person) -> None:
    with demo.step("She registers with her phone, and signs in with a code"):
        registered = _register(demo, phone=ada.phone, password=ada.password, headers={"Accept-Language": "fa"})
        demo.check("the account has the phone number", registered["account"]["phone"] == ada.phone, registered["account"])
        sms = letters(demo, ada.phone)[0]
        demo.say(sms["text"].splitlines()[0])
        demo.check("a Persian account gets a Persian message", "کد" in sms["text"])
        body = {"phone": ada.phone, "purpose": "phone_verify", "code": code(sms), "password": ada.password}
        demo.check("the code confirms the number", demo.call("POST", CONFIRM, json=body)["verified"])
        demo.call("POST", "/auth/verifications", json={"phone": ada.phone, "purpose": "sign_in"}, expect=202)
        sms = letters(demo, ada.phone, 2)[0]
        signed = demo.call("POST", "/auth/session", json={"phone": ada.phone, "code": code(sms)}, expect=201)
        demo.check("another code signs in without the password", signed["account"]["id"] == registered["account"]["id"])
        twice = demo.client.post("/api/v1/auth/session", json={"phone": ada.phone, "code": code(sms)})
        demo.check("it works once", twice.status_code == 422, twice.status_code)


def _guessing(demo: DemoRun, mark: str) -> None:
    with demo.step("Guessing codes"):
        target = f"guessed-{mark}@example.com"
        _register(demo, email=target, password=secrets.token_urlsafe(12))
        right = code(letters(demo, target)[0])
        body = {"email": target, "purpose": "email_verify"}
        wrong = [f"{(int(right) + number) % 10**6:06}" for number in range(1, 6)]
        tried = [demo.client.post(f"/api/v1{CONFIRM}", json={**body, "code": item}).status_code for item in wrong]
        demo.check("five wrong codes are checked", tried == [422] * 5, tried)
        closed = demo.client.post(f"/api/v1{CONFIRM}", json={**body, "code": right})
        demo.check("then even the right code is refused", closed.json()["type"] == "urn:vetrina:code-closed", closed.text)
        demo.say(closed.json()["detail"])
        resent = demo.client.post("/api/v1/auth/verifications", json=body)
        demo.check("its owner gets a new one", resent.status_code == 202, resent.status_code)


def _a_stranger(demo: DemoRun, ada: Person, mark: str) -> None:
    with demo.step("A stranger probes for accounts"):
        responses: list[list[Any]] = []
        for email in (ada.email, f"nobody-{mark}@example.com"):
            answers = [
                demo.client.post("/api/v1/auth/session", json={"email": email, "password": "not the right one"}),
                demo.client.post("/api/v1/auth/password-reset", json={"email": email}),
                demo.client.post(f"/api/v1{RESET}", json={"email": email, "code": "1", "password": "long enough, this"}),
            ]
            responses.append([(answer.status_code, answer.text) for answer in answers])
        demo.check("known and unknown addresses get the same response", responses[0] == responses[1], responses)


def _forgotten(demo: DemoRun, ada: Person) -> None:
    with demo.step("Ada has forgotten her password"):
        login = {"email": ada.email, "password": ada.password, "kind": "user"}
        before = demo.call("POST", "/auth/session", json=login, expect=201)
        letters_before = len(letters(demo, ada.email))
        demo.call("POST", "/auth/password-reset", json={"email": ada.email}, expect=202)
        letter = letters(demo, ada.email, letters_before + 1)[0]
        new_password = f"another one, {secrets.token_hex(4)}"
        demo.call("POST", RESET, json={"email": ada.email, "code": code(letter), "password": new_password})
        demo.sign_in(before["access_token"])
        demo.check("every session has ended", demo.client.get("/api/v1/me").status_code == 401)
        _leave(demo)
        old = demo.client.post("/api/v1/auth/session", json={"email": ada.email, "password": ada.password, "kind": "user"})
        demo.check("the old password no longer works", old.status_code == 401, old.status_code)
        ada.password = new_password
        demo.call("POST", "/auth/session", json={"email": ada.email, "password": new_password}, expect=201)
        business = {"email": ada.email, "kind": "vendor"}
        other = demo.client.post("/api/v1/auth/session", json={**business, "password": new_password})
        demo.check("the business account keeps its password", other.status_code == 401, other.status_code)


def _second_factor(demo: DemoRun, ada: Person) -> None:
    with demo.step("She sets up an authenticator"):
        login = {"email": ada.email, "password": ada.password, "kind": "user"}
        demo.sign_in(demo.call("POST", "/auth/session", json=login, expect=201)["access_token"])
        enrolment = demo.call("POST", "/auth/second-factor", json={"password": ada.password}, expect=201)
        demo.check("the secret is also a QR code", enrolment["qr"].startswith("<svg"), enrolment["qr"][:40])
        totp = TOTP(enrolment["secret"])
        recovery = demo.call("POST", "/auth/second-factor/confirmation", json={"code": totp.now()})["recovery_codes"]
        demo.check("there are ten recovery codes", len(set(recovery)) == 10, len(recovery))
        _leave(demo)
        second_step = demo.client.post("/api/v1/auth/session", json=login)
        demo.check("the password alone is not enough", second_step.status_code == 401, second_step.status_code)
        step = "/auth/session/second-factor"
        used = {"challenge": second_step.json()["challenge"], "code": totp.now()}
        seen = demo.client.post(f"/api/v1{step}", json={**used, "code": totp.at(time.time() - 30)})
        demo.check("a used code is refused", seen.status_code == 422, seen.status_code)
        ahead = {**used, "code": totp.at(time.time() + 30)}
        demo.check("the next code signs in", "access_token" in demo.call("POST", step, json=ahead, expect=201))
        spare = {**used, "code": recovery[0]}
        signed = demo.call("POST", step, json=spare, expect=201)
        demo.check("a recovery code signs in", "access_token" in signed)
        demo.check("it works once", demo.client.post(f"/api/v1{step}", json=spare).status_code == 422)
        demo.sign_in(signed["access_token"])
        demo.call("POST", "/auth/second-factor/removal", json={"password": ada.password, "code": recovery[1]}, expect=204)
        _leave(demo)
        demo.call("POST", "/auth/session", json=login, expect=201)
        demo.check("after turning it off, the password is enough", True)


def _register(demo: DemoRun, *, headers: dict[str, str] | None = None, **body: str) -> dict[str, Any]:
    return demo.call("POST", "/auth/registration", json=body, headers=headers or {}, expect=201)


def _leave(demo: DemoRun) -> None:
    demo.client.headers.pop("Authorization", None)
