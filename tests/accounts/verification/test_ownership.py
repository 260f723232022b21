"""Ownership of accounts: a claimed identifier gives nothing, and its owner's confirmation ends what was set up before."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.accounts.auth_helpers import bearer, code_to, letters, post, registered
from tests.accounts.second_factor.test_second_factor import enrolled
from tests.factories import PASSWORD, Make, race
from tests.server import Site
from vetrina.accounts.identifiers import Identifier, mailbox, normalize_email
from vetrina.accounts.model import InvalidEmail
from vetrina.core.database.connection import Tx

EMAIL, PHONE, NEW = "owner@example.com", "+989123456789", "the owner's own password"


async def reset(site: Site, letter_count: int, **to: str) -> Any:
    """Request a reset of an identifier and set a new password with the code."""
    assert (await post(site, "/auth/password-reset", to)).status_code == 202
    code = await code_to(site, next(iter(to.values())), letter_count)
    return await post(site, "/auth/password-reset/confirmation", {**to, "code": code, "password": NEW})


async def confirmed(site: Site, body: dict[str, Any], **to: str) -> None:
    """Confirm an identifier as the account that is signed in."""
    code = await code_to(site, next(iter(to.values())))
    purpose = "email_verify" if "email" in to else "phone_verify"
    done = await post(site, "/auth/verifications/confirmation", {**to, "purpose": purpose, "code": code}, headers=bearer(body))
    assert done.status_code == 200 and not done.json()["access_ended"], done.text


async def columns(site: Site, account: str) -> Any:
    """Return e-mail, phone, whether they are confirmed, and the counts of other ways to sign in."""
    async with site.services.db.read() as tx:
        row = await tx.connection.execute(
            "select email, phone, email_verified_at is not null, phone_verified_at is not null, password_hash is not null,"
            " (select count(*) from accounts.sessions s where s.account_id = a.id and revoked_at is null),"
            " (select count(*) from accounts.second_factors f where f.account_id = a.id),"
            " (select count(*) from accounts.identities i where i.account_id = a.id)"
            " from accounts.accounts a where id = %s",
            (account,),
        )
        return await row.fetchone()


async def tokens(site: Site, body: dict[str, Any]) -> int:
    wallet = (await site.client.get("/api/v1/wallet", headers=bearer(body))).json()
    return next((balance["balance"] for balance in wallet["balances"] if balance["asset"] == "token"), 0)


async def test_a_reset_through_a_claimed_address_releases_it_from_an_account_with_a_confirmed_phone(posting: Site) -> None:
    """The registrant confirmed a phone of their own: the address does not open that account, and is free for its owner."""
    body = await registered(posting, email=EMAIL, phone=PHONE)
    await confirmed(posting, body, phone=PHONE)
    await enrolled(posting, body)
    answer = await reset(posting, 2, email=EMAIL)
    assert answer.status_code == 409 and answer.json()["type"] == "urn:vetrina:identifier-released"
    email, phone, _, phone_confirmed, has_password, sessions, factors, _ = await columns(posting, body["account"]["id"])
    assert (email, phone, phone_confirmed, has_password, factors) == (None, PHONE, True, True, 1) and sessions == 1
    assert "removed from your account" in (await letters(posting, PHONE, 3))[0]["text"]
    response = await post(posting, "/auth/registration", {"email": EMAIL, "password": NEW})
    assert response.status_code == 201 and response.json()["account"]["id"] != body["account"]["id"]
    signed = await post(posting, "/auth/session", {"email": EMAIL, "password": PASSWORD})
    assert signed.status_code == 401, "the registrant's password no longer goes with the address"


@pytest.mark.parametrize("way", ["reset", "confirmation"])
async def test_the_first_confirmation_by_the_owner_ends_every_way_in(posting: Site, way: str) -> None:
    body = await registered(posting, email=EMAIL, phone=PHONE)
    await enrolled(posting, body)
    account = body["account"]["id"]
    async with posting.services.db.tx() as tx:
        await tx.connection.execute(
            "insert into accounts.identities (issuer, subject, account_id, id, provider)"
            " values ('https://issuer.example', 'eve', %s, core.new_id(), 'example')",
            (account,),
        )
    if way == "reset":
        assert (await reset(posting, 3, email=EMAIL)).status_code == 200
    else:
        code = await code_to(posting, EMAIL)
        fields = {"email": EMAIL, "purpose": "email_verify", "code": code}
        assert (await post(posting, "/auth/verifications/confirmation", fields)).json()["access_ended"] is True
    assert await columns(posting, account) == (EMAIL, None, True, False, way == "reset", 0, 0, 0)
    assert (await posting.client.get("/api/v1/me", headers=bearer(body))).status_code == 401
    for existing in ({"email": EMAIL}, {"phone": PHONE}):
        assert (await post(posting, "/auth/session", {**existing, "password": PASSWORD})).status_code == 401
    if way == "reset":
        assert (await post(posting, "/auth/session", {"email": EMAIL, "password": NEW})).status_code == 201


async def test_confirming_needs_the_account_when_another_identifier_is_confirmed(posting: Site) -> None:
    body = await registered(posting, email=EMAIL, phone=PHONE)
    await confirmed(posting, body, phone=PHONE)
    fields = {"email": EMAIL, "purpose": "email_verify", "code": await code_to(posting, EMAIL)}
    refused = await post(posting, "/auth/verifications/confirmation", fields)
    assert refused.status_code == 403 and refused.json()["type"] == "urn:vetrina:sign-in-to-confirm"
    stranger = await registered(posting, email="eve@example.com")
    refused = await post(posting, "/auth/verifications/confirmation", fields, headers=bearer(stranger))
    assert refused.status_code == 403
    wrong = await post(posting, "/auth/verifications/confirmation", {**fields, "password": "not the right one"})
    assert wrong.status_code == 403 and wrong.json()["type"] == "urn:vetrina:wrong-password"
    done = await post(posting, "/auth/verifications/confirmation", {**fields, "password": PASSWORD})
    assert done.status_code == 200 and done.json()["access_ended"] is False


async def test_database_rejects_unproven_confirmations(posting: Site) -> None:
    """A later confirmation without proof is refused, and another value is a claim, whatever statement sets them."""
    body = await registered(posting, email=EMAIL, phone=PHONE)
    await confirmed(posting, body, phone=PHONE)
    account = body["account"]["id"]

    async def run(tx: Tx, change: str) -> None:
        await tx.connection.execute(f"update accounts.accounts set {change} where id = %s".encode(), (account,))

    with pytest.raises(Exception, match=r"confirmed by its owner|Sign in to that account"):
        async with posting.services.db.tx() as tx:
            await run(tx, "email_verified_at = now()")
    async with posting.services.db.tx() as tx:
        await run(tx, "phone = '+989120000000'")
    assert (await columns(posting, account))[:4] == (EMAIL, "+989120000000", False, False)
    with pytest.raises(Exception, match="confirmed_email_is_set"):
        async with posting.services.db.tx() as tx:
            await run(tx, "email = null, email_verified_at = now()")


async def test_tokens_come_once_with_the_first_confirmed_identifier(posting: Site) -> None:
    body = await registered(posting, email=EMAIL, phone=PHONE)
    assert await tokens(posting, body) == 0
    await confirmed(posting, body, phone=PHONE)
    assert await tokens(posting, body) == 20
    await confirmed(posting, body, email=EMAIL)
    assert await tokens(posting, body) == 20


async def test_a_reset_keeps_the_second_factor_of_a_confirmed_address(posting: Site) -> None:
    body = await registered(posting, email=EMAIL)
    await confirmed(posting, body, email=EMAIL)
    _, recovery = await enrolled(posting, body)
    assert (await reset(posting, 3, email=EMAIL)).status_code == 200
    first = await post(posting, "/auth/session", {"email": EMAIL, "password": NEW})
    assert first.json()["type"] == "urn:vetrina:second-factor-needed"
    step = {"challenge": first.json()["challenge"], "code": recovery[0]}
    assert (await post(posting, "/auth/session/second-factor", step)).status_code == 201


async def test_notices_go_to_every_confirmed_identifier(posting: Site) -> None:
    body = await registered(posting, email=EMAIL, phone=PHONE)
    await confirmed(posting, body, email=EMAIL)
    await confirmed(posting, body, phone=PHONE)
    assert (await reset(posting, 2, email=EMAIL)).status_code == 200
    assert "was changed" in (await letters(posting, EMAIL, 3))[0]["subject"]
    assert "was changed" in (await letters(posting, PHONE, 2))[0]["text"]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" Ada@Example.COM ", "ada@example.com"), ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"), ("a+b@example.com", "a+b@example.com"),
        ("ada,eve@example.com", None), ("ada;eve@example.com", None), ("ada@example.com,eve@example.com", None),
        ("ada@example.com.", None), ("ada@example", None), ("Ada <ada@example.com>", None), ('"a b"@example.com', None),
        ("ada@[127.0.0.1]", None), ("ada@host.local", None), ("ädä@example.com", None), ("a..b@example.com", None),
        ("ada@example.com\nbcc: eve@example.com", None), ("ada(x)@example.com", None), ("ada:eve@example.com", None),
        ("@eve.example:ada@example.com", None), ("ada@exa\u200bmple.com", None),
    ],
)  # fmt: skip
def test_one_mailbox_has_one_address(text: str, address: str | None) -> None:
    if address is None:
        with pytest.raises(InvalidEmail):
            normalize_email(text)
    else:
        assert normalize_email(text) == address
        assert mailbox(Identifier("email", address)) == address.replace("+b", "")


async def test_failures_elsewhere_do_not_lock_out_a_trusted_device(site: Site, make: Make) -> None:
    login = {"email": "ada@example.com", "password": PASSWORD}
    await post(site, "/auth/registration", login)
    async with httpx2.AsyncClient(base_url=site.url) as existing:
        assert (await existing.post("/sign-in", data=login)).status_code == 303
        device = existing.cookies["vetrina_device"]
    answers = await race(64, lambda: post(site, "/auth/session", {**login, "password": "not the right one"}))
    statuses = [answer.status_code for answer in answers if not isinstance(answer, BaseException)]
    assert statuses.count(401) <= 20 and set(statuses) == {401, 429}, "the limit holds for guesses that begin together"
    for _ in range(20 - statuses.count(401)):  # those that the hashes' queue refused were not judged
        await post(site, "/auth/session", {**login, "password": "not the right one"})
    locked = await post(site, "/auth/session", login)
    assert locked.status_code == 429 and int(locked.headers["retry-after"]) == 900
    async with httpx2.AsyncClient(base_url=site.url, cookies={"vetrina_device": device}) as existing:
        assert (await existing.post("/sign-in", data=login)).status_code == 303


async def test_right_passwords_are_not_counted_and_a_day_allows_about_a_hundred_wrong_ones(site: Site) -> None:
    login = {"email": "ada@example.com", "password": PASSWORD}
    await post(site, "/auth/registration", login)
    for _ in range(25):
        assert (await post(site, "/auth/session", login)).status_code == 201
    allowed = 0
    for _ in range(49):  # a guesser that tries again every half hour of a day
        while (await post(site, "/auth/session", {**login, "password": "not the right one"})).status_code == 401:
            allowed += 1
        async with site.services.db.tx() as tx:
            await tx.connection.execute("update accounts.sign_in_failures set counted_at = counted_at - interval '30 minutes'")
    assert 20 <= allowed <= 120


async def test_sign_in_chooses_between_accounts_of_two_kinds(site: Site) -> None:
    vendor = {"email": "shop@example.com", "password": PASSWORD}
    await post(site, "/auth/registration", {**vendor, "kind": "vendor"})
    async with httpx2.AsyncClient(base_url=site.url) as browser:
        assert (await browser.post("/sign-in", data={**vendor, "kind": "user"})).status_code == 303
    assert (await post(site, "/auth/session", {**vendor, "kind": "user"})).status_code == 401, "a program names its kind"
    await post(site, "/auth/registration", vendor)
    both = await post(site, "/auth/session", vendor)
    assert both.status_code == 409 and both.json()["type"] == "urn:vetrina:choose-kind"
    async with httpx2.AsyncClient(base_url=site.url) as browser:
        page = await browser.post("/sign-in", data={**vendor, "kind": "user", "next": "/wallet"})
        assert "Which account?" in page.text
        choice = page.text.partition('name="choice" value="')[2].partition('"')[0]
        chosen = await browser.post("/sign-in/kind", data={"choice": choice, "kind": "vendor", "next": "/wallet"})
        assert chosen.status_code == 303 and chosen.headers["location"] == "/wallet"
        assert (await browser.get("/api/v1/me")).json()["kind"] == "vendor"
        forged = await browser.post("/sign-in/kind", data={"choice": choice[:-3], "kind": "user"})
        assert forged.status_code == 401
