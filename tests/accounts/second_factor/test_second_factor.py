"""The second factor: turned on with a code of the authenticator, asked for at every sign-in, never twice the same code."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import httpx2
import pytest
from pyotp.totp import TOTP

from tests.accounts.auth_helpers import bearer, code_to, letters, post, registered
from tests.factories import PASSWORD, Make, race
from tests.server import Site
from vetrina.accounts.second_factor import actions as second_factor
from vetrina.accounts.second_factor.actions import STEP
from vetrina.core.services import Services

FACTOR = "/auth/second-factor"


class Authenticator:
    """A person's authenticator, whose clock can be moved: no code is good twice."""

    def __init__(self, secret: str) -> None:
        self._totp = TOTP(secret)
        self._step = int(time.time()) // STEP - 1

    def next(self) -> str:
        """The next code: of the step before this one, this one, or the next."""
        self._step += 1
        return self._totp.generate_otp(self._step - 1)

    def wrong(self) -> str:
        """A code of no step near now."""
        near = {self._totp.generate_otp(int(time.time()) // STEP + number) for number in range(-3, 4)}
        return next(code for n in range(10) if (code := f"{n:06}") not in near)


async def enrolled(site: Site, body: dict[str, Any], password: str | None = PASSWORD) -> tuple[Authenticator, list[str]]:
    """Turn it on; the authenticator and the recovery codes."""
    response = await post(site, FACTOR, {"password": password} if password else {}, headers=bearer(body))
    assert response.status_code == 201, response.text
    there = Authenticator(response.json()["secret"])
    done = await post(site, f"{FACTOR}/confirmation", {"code": there.next()}, headers=bearer(body))
    assert done.status_code == 200, done.text
    return there, done.json()["recovery_codes"]


async def challenged(site: Site, **more: str) -> str:
    """The challenge of a first step."""
    answer = await post(site, "/auth/session", {"email": "ada@example.com", "password": PASSWORD, **more})
    assert answer.status_code == 401 and answer.json()["type"] == "urn:vetrina:second-factor-needed", answer.text
    assert answer.json()["expires_in"] == 300 and "access_token" not in answer.text
    return answer.json()["challenge"]


async def second(site: Site, challenge: str, code: str) -> httpx2.Response:
    """The second step."""
    return await post(site, "/auth/session/second-factor", {"challenge": challenge, "code": code})


async def test_second_factor_is_required_once_enabled(posting: Site) -> None:
    body = await registered(posting, email="ada@example.com")
    refused = await post(posting, FACTOR, {"password": "not the right one"}, headers=bearer(body))
    assert refused.status_code == 403 and refused.json()["type"] == "urn:vetrina:wrong-password"
    started = (await post(posting, FACTOR, {"password": PASSWORD}, headers=bearer(body))).json()
    uri = urlsplit(started["uri"])
    assert (
        uri.scheme == "otpauth" and parse_qs(uri.query)["secret"] == [started["secret"]] and "ada%40example.com" in started["uri"]
    )
    assert ElementTree.fromstring(started["qr"]).tag == "{http://www.w3.org/2000/svg}svg"
    # begun is not on: the password alone still signs in
    assert (await post(posting, "/auth/session", {"email": "ada@example.com", "password": PASSWORD})).status_code == 201
    there, recovery = await enrolled(posting, body)
    state = (await posting.client.get(f"/api/v1{FACTOR}", headers=bearer(body))).json()
    assert state["enabled"] is True and state["recovery_codes_left"] == 10 == len(set(recovery))
    assert (await post(posting, FACTOR, {"password": PASSWORD}, headers=bearer(body))).status_code == 409
    challenge = await challenged(posting)
    code = there.next()
    signed = await second(posting, challenge, code)
    assert signed.status_code == 201 and signed.json()["account"]["email"] == "ada@example.com"
    again = await second(posting, await challenged(posting), code)
    assert again.status_code == 422 and again.json()["type"] == "urn:vetrina:wrong-code"
    assert any("second factor is on" in letter["subject"] for letter in await letters(posting, "ada@example.com", 2))


async def test_wrong_password_response_does_not_reveal_the_second_factor(posting: Site) -> None:
    body = await registered(posting, email="ada@example.com")
    before = await post(posting, "/auth/session", {"email": "ada@example.com", "password": "not the right one"})
    await enrolled(posting, body)
    after = await post(posting, "/auth/session", {"email": "ada@example.com", "password": "not the right one"})
    assert (before.status_code, before.text) == (after.status_code, after.text)


async def test_of_64_wrong_codes_at_once_five_are_judged(posting: Site) -> None:
    body = await registered(posting, email="ada@example.com")
    there, recovery = await enrolled(posting, body)
    challenge, code = await challenged(posting), there.wrong()
    statuses = [result.status_code for result in await race(64, lambda: second(posting, challenge, code))]  # type: ignore[union-attr]
    assert statuses.count(422) == 5 and statuses.count(429) == 59
    for tried in (there.next(), recovery[0]):
        closed = await second(posting, challenge, tried)
        assert closed.status_code == 429 and 800 < int(closed.headers["retry-after"]) <= 900
    async with posting.services.db.tx() as tx:
        await tx.connection.execute("update accounts.second_factors set attempts_since = now() - interval '16 minutes'")
    assert (await second(posting, challenge, there.next())).status_code == 201


async def test_of_64_uses_of_one_code_at_once_one_counts(posting: Site) -> None:
    body = await registered(posting, email="ada@example.com")
    there, recovery = await enrolled(posting, body)
    challenge = await challenged(posting)
    for code in (there.next(), recovery[3]):
        statuses = [result.status_code for result in await race(64, lambda code=code: second(posting, challenge, code))]  # type: ignore[union-attr]
        assert statuses.count(201) == 1 and set(statuses) <= {201, 422, 429}
        async with posting.services.db.tx() as tx:
            await tx.connection.execute("update accounts.second_factors set attempt_count = 0")


async def test_recovery_code_works_once_and_is_notified(posting: Site) -> None:
    body = await registered(posting, email="ada@example.com")
    _, recovery = await enrolled(posting, body)
    written = f" {recovery[0].upper().replace('-', ' ')} "
    assert (await second(posting, await challenged(posting), written)).status_code == 201
    assert (await second(posting, await challenged(posting), recovery[0])).status_code == 422
    sent = await letters(posting, "ada@example.com", 3)
    assert any("recovery code" in letter["subject"] for letter in sent)
    state = (await posting.client.get(f"/api/v1{FACTOR}", headers=bearer(body))).json()
    assert state["recovery_codes_left"] == 9
    proof = {"password": PASSWORD, "code": recovery[2]}
    response = await post(posting, f"{FACTOR}/recovery-codes", proof, headers=bearer(body))
    assert response.status_code == 201 and not set(response.json()["recovery_codes"]) & set(recovery)
    assert (await second(posting, await challenged(posting), recovery[1])).status_code == 422
    assert (await second(posting, await challenged(posting), response.json()["recovery_codes"][0])).status_code == 201


async def test_secrets_cannot_be_read_from_the_database(posting: Site, services: Services) -> None:
    body = await registered(posting, email="ada@example.com")
    started = (await post(posting, FACTOR, {"password": PASSWORD}, headers=bearer(body))).json()
    there = Authenticator(started["secret"])
    done = await post(posting, f"{FACTOR}/confirmation", {"code": there.next()}, headers=bearer(body))
    async with services.db.read() as tx:
        rows = await (await tx.connection.execute("select f::text from accounts.second_factors f")).fetchall()
        rows += await (await tx.connection.execute("select r::text from accounts.recovery_codes r")).fetchall()
        actions = await (await tx.connection.execute("select action from core.audit_logs order by id")).fetchall()
    stored = str(rows).lower()
    assert started["secret"].lower() not in stored and not any(code in stored for code in done.json()["recovery_codes"])
    assert ("second_factor_on",) in actions


async def test_second_factor_is_disabled_with_the_password_and_a_code(posting: Site) -> None:
    body = await registered(posting, email="ada@example.com")
    there, codes = await enrolled(posting, body)
    for wrong in ({}, {"password": "not the right one"}, {"code": "123456"}):
        answer = await post(posting, f"{FACTOR}/removal", wrong, headers=bearer(body))
        assert answer.status_code == 403, answer.text
    for path in ("removal", "recovery-codes"):
        bare = await post(posting, f"{FACTOR}/{path}", {"password": PASSWORD}, headers=bearer(body))
        assert bare.status_code == 422 and bare.json()["type"] == "urn:vetrina:wrong-code", "the password alone is not enough"
    both = {"password": PASSWORD, "code": there.next()}
    renewed = await post(posting, f"{FACTOR}/recovery-codes", both, headers=bearer(body))
    assert renewed.status_code == 201 and set(renewed.json()["recovery_codes"]).isdisjoint(codes)
    last = {"password": PASSWORD, "code": renewed.json()["recovery_codes"][0]}
    assert (await post(posting, f"{FACTOR}/removal", last, headers=bearer(body))).status_code == 204, "a recovery code will do"
    assert (await post(posting, f"{FACTOR}/removal", last, headers=bearer(body))).status_code == 409
    assert (await post(posting, "/auth/session", {"email": "ada@example.com", "password": PASSWORD})).status_code == 201


async def test_account_without_a_password_disables_it_with_a_code(posting: Site, make: Make) -> None:
    account = await make.account()
    body = {"access_token": account.headers["Authorization"].removeprefix("Bearer ")}
    there, _ = await enrolled(posting, body, password=None)
    assert (await post(posting, f"{FACTOR}/removal", {"code": there.wrong()}, headers=bearer(body))).status_code == 422
    assert (await post(posting, f"{FACTOR}/removal", {"code": there.next()}, headers=bearer(body))).status_code == 204


async def test_a_challenge_ends_with_its_time_and_with_the_password(posting: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    body = await registered(posting, email="ada@example.com")
    there, _ = await enrolled(posting, body)
    challenge = await challenged(posting)
    with monkeypatch.context() as patch:
        later = time.time() + 301
        patch.setattr("vetrina.accounts.sessions.challenges.time.time", lambda: later)
        assert (await second(posting, challenge, there.next())).json()["type"] == "urn:vetrina:challenge-expired"
    for nonsense in ("", "nonsense", challenge[:-4] + "AAAA", body["access_token"]):
        assert (await second(posting, nonsense, "123456")).status_code == 401
    await post(posting, "/auth/password-reset", {"email": "ada@example.com"})
    code = await code_to(posting, "ada@example.com", 3)
    change = {"email": "ada@example.com", "code": code, "password": "another long enough one"}
    assert (await post(posting, "/auth/password-reset/confirmation", change)).status_code == 200
    over = await second(posting, challenge, there.next())
    assert over.status_code == 401 and "access_token" not in over.text


async def test_reset_keeps_the_second_factor_of_confirmed_addresses_only(posting: Site) -> None:
    """Whoever registered somebody else's address could otherwise lock them out for ever."""
    for email, confirmed in (("ada@example.com", True), ("eve@example.com", False)):
        body = await registered(posting, email=email)
        code = await code_to(posting, email)
        if confirmed:
            done = {"email": email, "purpose": "email_verify", "code": code, "password": PASSWORD}
            assert (await post(posting, "/auth/verifications/confirmation", done)).status_code == 200
        await enrolled(posting, body)
        await post(posting, "/auth/password-reset", {"email": email})
        code = await code_to(posting, email, 3)
        change = {"email": email, "code": code, "password": "another long enough one"}
        assert (await post(posting, "/auth/password-reset/confirmation", change)).status_code == 200
        entered = await post(posting, "/auth/session", {"email": email, "password": "another long enough one"})
        assert entered.status_code == (401 if confirmed else 201)


async def test_sms_sign_in_requires_the_second_factor(posting: Site) -> None:
    body = await registered(posting, phone="+989123456789")
    code = await code_to(posting, "+989123456789")
    done = {"phone": "+989123456789", "purpose": "phone_verify", "code": code, "password": PASSWORD}
    assert (await post(posting, "/auth/verifications/confirmation", done)).status_code == 200
    there, _ = await enrolled(posting, body)
    await post(posting, "/auth/verifications", {"phone": "+989123456789", "purpose": "sign_in"})
    code = await code_to(posting, "+989123456789", 3)
    first = await post(posting, "/auth/session", {"phone": "+989123456789", "code": code})
    assert first.status_code == 401 and first.json()["type"] == "urn:vetrina:second-factor-needed"
    assert (await second(posting, first.json()["challenge"], there.next())).status_code == 201


async def test_codes_of_adjacent_steps_are_accepted(services: Services) -> None:
    secret, now = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", int(time.time()) // STEP
    taken = [number for number in range(-3, 4) if second_factor._time_step(secret, TOTP(secret).generate_otp(now + number))]  # pyright: ignore[reportPrivateUsage]
    assert taken == [-1, 0, 1] or int(time.time()) // STEP != now
    assert second_factor._time_step(secret, "") == 0 and re.fullmatch(r"\d{6}", TOTP(secret).now())  # pyright: ignore[reportPrivateUsage]
