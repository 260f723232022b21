"""One-time codes: what they open, that they work once, that a resend forgives nothing, that they end."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from tests.accounts.auth_helpers import bearer, code_in, code_to, letters, post, registered, settled, unlimited, wrong
from tests.factories import PASSWORD
from tests.server import Site
from vetrina.accounts.identifiers import Identifier, normalize_phone
from vetrina.accounts.model import InvalidPhone
from vetrina.accounts.verification import actions as verification
from vetrina.accounts.verification import jobs as code_jobs
from vetrina.accounts.verification import queries as code_queries
from vetrina.accounts.verification.actions import SentCode
from vetrina.accounts.verification.model import WrongCode
from vetrina.core.services import Services
from vetrina.web.i18n import preferred as preferred_language

NEW = "another long enough one"


async def test_registering_sends_a_code_that_confirms_the_address(posting: Site) -> None:
    body = await registered(posting, email="ada@example.com")
    assert body["account"]["email_verified"] is False
    (letter,) = await letters(posting, "ada@example.com")
    code = code_in(letter["text"])
    assert letter["subject"].startswith("Confirm your e-mail address") and code in letter["html"]
    assert "/verify/link/" in letter["text"] and letter["html"].count("/verify/link/") == 1
    fields = {"email": "Ada@Example.com ", "purpose": "email_verify"}
    assert (await post(posting, "/auth/verifications/confirmation", {**fields, "code": wrong(code)})).status_code == 422
    done = await post(posting, "/auth/verifications/confirmation", {**fields, "code": code}, headers=bearer(body))
    confirmed = {"email": "ada@example.com", "phone": None, "verified": True, "access_ended": False}
    assert done.status_code == 200 and done.json() == confirmed
    again = await post(posting, "/auth/verifications/confirmation", {**fields, "code": code})
    assert again.status_code == 422 and again.json()["type"] == "urn:vetrina:wrong-code"
    me = (await posting.client.get("/api/v1/me", headers=bearer(body))).json()
    assert me["email_verified"] is True and me["phone_verified"] is False


async def test_a_phone_registers_confirms_and_signs_in_by_code(posting: Site) -> None:
    body = await registered(posting, phone="+98 (912) 345 67 89", name="Ada")
    assert body["account"]["phone"] == "+989123456789" and body["account"]["email"] is None
    (letter,) = await letters(posting, "+989123456789")
    code = code_in(letter["text"])
    assert letter["channel"] == "sms" and letter["text"].endswith(f"\n\n@127.0.0.1 #{code}") and letter["html"] is None
    # not before it was confirmed: whoever typed the number also chose the password
    await post(posting, "/auth/verifications", {"phone": "+989123456789", "purpose": "sign_in"})
    assert "never confirmed" in (await letters(posting, "+989123456789", 2))[0]["text"]
    confirmed = {"phone": "00989123456789", "purpose": "phone_verify", "code": f"{code[:3]} {code[3:]}"}
    confirmed["password"] = PASSWORD
    assert (await post(posting, "/auth/verifications/confirmation", confirmed)).status_code == 200
    response = await post(posting, "/auth/verifications", {"phone": "+98 912 345 6789", "purpose": "sign_in"})
    assert response.status_code == 202 and response.json() == {"expires_in": 600}
    code = await code_to(posting, "+989123456789", 3)
    signed = await post(posting, "/auth/session", {"phone": "۰۰۹۸۹۱۲۳۴۵۶۷۸۹", "code": code})
    assert signed.status_code == 201 and signed.json()["account"]["phone_verified"] is True
    assert (await post(posting, "/auth/session", {"phone": "+989123456789", "code": code})).status_code == 422
    by_password = await post(posting, "/auth/session", {"phone": "+989123456789", "password": PASSWORD})
    assert by_password.status_code == 201


@pytest.mark.parametrize(("known", "kind"), [({"email": "ada@example.com"}, "user"), ({"phone": "+989123456789"}, "vendor")])
async def test_a_reset_ends_every_session(posting: Site, known: dict[str, str], kind: str) -> None:
    known = {**known, "kind": kind}
    body = await registered(posting, **known)
    other = "vendor" if kind == "user" else "user"
    twin = await registered(posting, **{**known, "kind": other})
    target = next(value for key, value in known.items() if key != "kind")
    await letters(posting, target, 2)
    assert (await post(posting, "/auth/password-reset", known)).status_code == 202
    code = await code_to(posting, target, 3)
    weak = await post(posting, "/auth/password-reset/confirmation", {**known, "code": code, "password": "short"})
    assert weak.status_code == 422 and weak.json()["field"] == "password"
    stray = {**known, "kind": other, "code": code, "password": NEW}
    assert (await post(posting, "/auth/password-reset/confirmation", stray)).status_code == 422
    done = await post(posting, "/auth/password-reset/confirmation", {**known, "code": code, "password": NEW})
    assert done.status_code == 200 and done.json() == {"sessions_ended": True}
    assert (await posting.client.get("/api/v1/me", headers=bearer(body))).status_code == 401
    assert (await post(posting, "/auth/refresh", {"refresh_token": body["refresh_token"]})).status_code == 401
    assert (await post(posting, "/auth/session", {**known, "password": PASSWORD})).status_code == 401
    signed = (await post(posting, "/auth/session", {**known, "password": NEW})).json()
    assert signed["account"]["email_verified" if "email" in known else "phone_verified"] is True
    assert (await posting.client.get("/api/v1/me", headers=bearer(twin))).status_code == 200
    assert "was changed" in (await letters(posting, target, 4))[0]["text"]


async def test_a_resend_takes_the_first_ones_place_and_forgives_nothing(posting: Site) -> None:
    await unlimited(posting.services, "codes_target")
    await registered(posting, email="ada@example.com")
    first = await code_to(posting, "ada@example.com")
    body = {"email": "ada@example.com", "purpose": "email_verify"}

    async def tried(code: str) -> int:
        answer = await post(posting, "/auth/verifications/confirmation", {**body, "code": code})
        return answer.status_code

    assert [await tried(wrong(first)) for _ in range(5)] == [422] * 5
    closed = await post(posting, "/auth/verifications/confirmation", {**body, "code": first})
    assert closed.status_code == 422 and closed.json()["type"] == "urn:vetrina:code-closed", "five guesses end the code"
    assert (await post(posting, "/auth/verifications", body)).status_code == 202, "and cost its owner a new one, no more"
    second = await code_to(posting, "ada@example.com", 2)
    assert [await tried(wrong(second)) for _ in range(5)] == [422] * 5
    assert (await post(posting, "/auth/verifications", body)).status_code == 202
    third = await code_to(posting, "ada@example.com", 3)
    assert [await tried(wrong(third)) for _ in range(5)] == [422] * 5
    locked = await post(posting, "/auth/verifications/confirmation", {**body, "code": third})
    assert locked.status_code == 429 and 3500 < int(locked.headers["retry-after"]) <= 3600
    assert locked.json()["type"] == "urn:vetrina:too-many-guesses", "fifteen an hour, over all codes"
    refused = await post(posting, "/auth/verifications", body)
    assert refused.status_code == 429 and refused.json() == locked.json()
    # an hour later it may be tried again, with a new code
    async with posting.services.db.tx() as tx:
        await tx.connection.execute("update accounts.verifications set attempts_since = now() - interval '61 minutes'")
    assert (await post(posting, "/auth/verifications", body)).status_code == 202
    assert await tried(await code_to(posting, "ada@example.com", 4)) == 200


async def test_a_code_is_for_one_target_kind_and_purpose(posting: Site) -> None:
    await registered(posting, email="ada@example.com")
    user = await code_to(posting, "ada@example.com")  # before there is a second letter, whose order is not given
    await registered(posting, email="ada@example.com", kind="vendor")
    await registered(posting, email="eve@example.com")
    if {code_in(letter["text"]) for letter in await letters(posting, "ada@example.com", 2)} == {user}:  # one in a million
        return
    for change in ({"email": "eve@example.com"}, {"kind": "vendor"}):
        body = {"email": "ada@example.com", "purpose": "email_verify", "code": user, **change}
        assert (await post(posting, "/auth/verifications/confirmation", body)).status_code == 422
    reset = {"email": "ada@example.com", "code": user, "password": NEW}
    assert (await post(posting, "/auth/password-reset/confirmation", reset)).status_code == 422
    right = {"email": "ada@example.com", "purpose": "email_verify", "code": user}
    assert (await post(posting, "/auth/verifications/confirmation", right)).status_code == 200


async def test_a_code_is_over_after_ten_minutes_and_forgotten_after_an_hour(posting: Site, services: Services) -> None:
    await registered(posting, email="ada@example.com")
    code = await code_to(posting, "ada@example.com")
    async with services.db.tx() as tx:
        row = await (
            await tx.connection.execute("select expires_at - now() <= interval '10 minutes' from accounts.verifications")
        ).fetchone()
        await tx.connection.execute("update accounts.verifications set expires_at = now() - interval '1 second'")
    assert row == (True,)
    body = {"email": "ada@example.com", "purpose": "email_verify", "code": code}
    assert (await post(posting, "/auth/verifications/confirmation", body)).status_code == 422

    async def left() -> int:
        async with services.db.read() as tx:
            return len(await (await tx.connection.execute("select 1 from accounts.verifications")).fetchall())

    await code_jobs.delete_old_codes(services)
    assert await left() == 1
    async with services.db.tx() as tx:
        await tx.connection.execute(
            "update accounts.verifications set expires_at = now() - interval '2 h', attempts_since = now() - interval '2 h'"
        )
    await code_jobs.delete_old_codes(services)
    assert await left() == 1  # it was touched just now


async def test_codes_cannot_be_read_from_the_database(posting: Site, services: Services) -> None:
    await registered(posting, phone="+989123456789")
    code = await code_to(posting, "+989123456789")
    async with services.db.tx() as tx:
        rows = await (await tx.connection.execute("select v::text from accounts.verifications v")).fetchall()
        rows += await (await tx.connection.execute("select args::text from procrastinate_jobs")).fetchall()
        result = await tx.fetch_optional(
            code_queries.CHECK_CODE,
            kind="user",
            purpose="phone_verify",
            target="+989123456789",
            hashes=[
                verification._hash(
                    b"another key", SentCode(Identifier("phone", "+989123456789"), "user", "phone_verify", "", 0), code
                )
            ],  # pyright: ignore[reportPrivateUsage]
            attempts=5,
            hourly=15,
            by_link=False,
        )
    assert result is False and not any(code in str(row) for row in rows)


async def test_a_letters_link_confirms_by_a_button_once(posting: Site, capsys: pytest.CaptureFixture[str]) -> None:
    await registered(posting, email="ada@example.com")
    (letter,) = await letters(posting, "ada@example.com")
    path = urlsplit(re.search(r"http\S+", letter["text"]).group()).path  # type: ignore[union-attr]
    for _ in range(3):  # mail programs look at links by themselves
        page = await posting.client.get(path)
        assert page.status_code == 200 and "ada@example.com" in page.text and page.headers["referrer-policy"] == "no-referrer"
    token = path.rpartition("/")[2]
    done = await posting.client.post("/verify/link", data={"token": token})
    assert done.status_code == 303
    again = await posting.client.post("/verify/link", data={"token": token})
    assert again.status_code == 422 and "no longer good" in again.text
    for bad in (token[:-3] + "AAA", "nonsense", ""):
        assert (await posting.client.post("/verify/link", data={"token": bad})).status_code == 422
    assert (await posting.client.get("/verify/link/nonsense")).status_code == 422
    logged = capsys.readouterr().out
    assert "/verify/link/{token}" in logged and token not in logged


async def test_letters_are_in_english_or_persian(posting: Site) -> None:
    answer = await post(
        posting,
        "/auth/registration",
        {"email": "ada@example.com", "phone": "+989123456789", "password": PASSWORD},
        headers={"Accept-Language": "de;q=0.9, fa-IR;q=0.8, en;q=0.1"},
    )
    assert answer.status_code == 201
    (mail,), (sms,) = await letters(posting, "ada@example.com"), await letters(posting, "+989123456789")
    assert "نشانی ایمیل" in mail["subject"] and '<html lang="fa" dir="rtl">' in mail["html"]
    assert code_in(mail["text"]) and "کد تأیید شمارهٔ شما" in sms["text"] and "@127.0.0.1 #" in sms["text"]
    for header, language in ((None, "en"), ("", "en"), ("fa", "fa"), ("en, fa", "en"), ("fa;q=x, *", "en"), ("fa;q=0", "en")):
        assert preferred_language(header) == language


async def test_invalid_addresses_are_refused_with_a_message(posting: Site) -> None:
    for path, body, status, field in (
        ("/auth/verifications", {"purpose": "email_verify"}, 422, None),
        ("/auth/verifications", {"email": "a@example.com", "phone": "+989123456789", "purpose": "email_verify"}, 422, None),
        ("/auth/verifications", {"email": "nonsense", "purpose": "email_verify"}, 422, "email"),
        ("/auth/verifications", {"phone": "911", "purpose": "phone_verify"}, 422, "phone"),
        ("/auth/verifications", {"phone": "+989123456789", "purpose": "email_verify"}, 422, "purpose"),
        ("/auth/verifications", {"email": "a@example.com", "purpose": "sign_in"}, 422, "purpose"),
        ("/auth/verifications", {"email": "a@example.com", "purpose": "to_see"}, 422, None),
        ("/auth/password-reset", {}, 422, None),
        ("/auth/registration", {"password": PASSWORD}, 422, None),
        ("/auth/registration", {"password": PASSWORD, "phone": "0912 345 6789"}, 422, "phone"),
        ("/auth/session", {"email": "a@example.com"}, 422, None),
        ("/auth/session", {"email": "a@example.com", "password": PASSWORD, "code": "123456"}, 422, None),
        ("/auth/session", {"email": "a@example.com", "code": "123456"}, 422, "phone"),
    ):
        answer = await post(posting, path, body)
        assert answer.status_code == status and answer.json().get("field") == field, (path, body, answer.text)
    await settled(posting.services)
    assert (await posting.client.get("/api/v1/outbox")).json()["items"] == []


def test_phone_numbers_are_recognised() -> None:
    for text in ("+98 912 345 6789", "0098-912-345-6789", "+۹۸۹۱۲۳۴۵۶۷۸۹", " tel:+989123456789 "):
        assert normalize_phone(text, "") == "+989123456789"
    assert normalize_phone("0912 345 6789", "IR") == "+989123456789"
    for text, region in (("555-1234", "US"), ("+98 912 345 67", ""), ("912 345 67", "IR")):
        with pytest.raises(InvalidPhone, match="not whole"):
            normalize_phone(text, region)
    for text in ("", "+", "+1", "0912 345 6789", "+98 912 345 6789 ext. 5", "hello", "+" + "9" * 30, "+98912345678900000000"):
        with pytest.raises(InvalidPhone):
            normalize_phone(text, "")


def test_digits_of_any_script() -> None:
    assert verification.digits(" ۱۲۳-٤٥٦ ") == "123456" and verification.digits("Your code: 012 345") == "012345"
    assert verification.digits("²³") == "" and issubclass(WrongCode, Exception)


async def test_a_letters_link_works_whatever_strangers_guess(posting: Site) -> None:
    await registered(posting, email="ada@example.com")
    body = {"email": "ada@example.com", "kind": "user"}
    assert (await post(posting, "/auth/password-reset", body)).status_code == 202
    letter = (await letters(posting, "ada@example.com", 2))[0]
    code, link = re.search(r"\b(\d{6})\b", letter["text"]), re.search(r"/reset/link/(\S+)", letter["text"])
    assert code is not None and link is not None
    guess = {**body, "code": wrong(code[1]), "password": "a stranger's password"}
    for _ in range(6):
        assert (await post(posting, "/auth/password-reset/confirmation", guess)).status_code == 422
    own = {"token": link[1], "password": "the owner's new password", "kind": "user"}
    assert (await posting.client.post("/reset/link", data=own)).status_code == 303


async def test_guesses_are_counted_over_all_kinds(posting: Site) -> None:
    """A page's code is for any kind of account; the API's are for one: three codes would be three times the guesses."""
    await registered(posting, email="ada@example.com")
    judged = 0
    for kind in ("user", "vendor", "user", "vendor"):
        body = {"email": "ada@example.com", "kind": kind}
        sent = await post(posting, "/auth/password-reset", body)
        if sent.status_code == 429:
            break
        for _ in range(5):
            answer = await post(posting, "/auth/password-reset/confirmation", {**body, "code": "000000", "password": PASSWORD})
            judged += answer.status_code == 422
    assert sent.status_code == 429 and judged == 15
