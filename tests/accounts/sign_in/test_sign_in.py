"""Registering and signing in: one account for each address, nothing told of who has one, few hashes at a time."""

from __future__ import annotations

import asyncio
import time

import httpx2
import pytest

from tests.accounts.auth_helpers import unlimited
from tests.factories import PASSWORD, Make, race
from tests.server import Site
from vetrina.accounts import passwords
from vetrina.accounts.model import WeakPassword
from vetrina.accounts.passwords import CONCURRENT, QUEUED, Hasher
from vetrina.core.database.ids import new_id
from vetrina.core.errors import Busy
from vetrina.core.services import Services


async def register(site: Site, email: str, **more: object) -> httpx2.Response:
    body = {"email": email, "password": PASSWORD, **more}
    return await site.client.post("/api/v1/auth/registration", json=body)


async def sign_in(site: Site, email: str, password: str = PASSWORD, **more: object) -> httpx2.Response:
    return await site.client.post("/api/v1/auth/session", json={"email": email, "password": password, **more})


async def test_registering_gives_an_account_a_session_and_no_tokens_yet(site: Site, make: Make) -> None:
    answer = await register(site, "  New.Person@Example.com ", name=" New Person ")
    body = answer.json()
    assert answer.status_code == 201 and body["expires_in"] == 900 and body["token_type"] == "Bearer"
    assert body["account"]["email"] == "new.person@example.com" and body["account"]["name"] == "New Person"
    assert "password" not in answer.text.replace(PASSWORD, "")
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    me = await site.client.get("/api/v1/me", headers=headers)
    assert me.json() == {**body["account"], "storage": {"used_bytes": 0, "export_bytes": 0, "limit_bytes": 50_000_000}}
    wallet = (await site.client.get("/api/v1/wallet", headers=headers)).json()
    assert {balance["asset"]: balance["balance"] for balance in wallet["balances"]} == {"conversion": 2, "image_slot": 5}
    assert (await sign_in(site, "NEW.person@example.COM")).status_code == 201
    await make.books()


async def test_of_two_registrations_at_once_one_wins(site: Site) -> None:
    answers = await asyncio.gather(*(register(site, "twin@example.com") for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    refused = next(answer.json() for answer in answers if answer.status_code == 409)
    assert refused["type"] == "urn:vetrina:email-taken" and refused["field"] == "email"
    async with site.services.db.read() as tx:
        row = await (
            await tx.connection.execute("select count(*) from accounts.accounts where email = 'twin@example.com'")
        ).fetchone()
    assert row == (1,)


async def test_users_and_vendors_sign_in_separately(site: Site) -> None:
    assert (await register(site, "both@example.com")).status_code == 201
    vendor = await register(site, "both@example.com", kind="vendor", name="The Shop")
    assert vendor.status_code == 201 and vendor.json()["account"]["kind"] == "vendor"
    signed = await sign_in(site, "both@example.com", kind="vendor")
    assert signed.json()["account"] == vendor.json()["account"]
    nameless = await register(site, "shop@example.com", kind="vendor")
    assert nameless.json()["account"]["name"] == "shop"


async def test_registration_errors_are_reported(site: Site) -> None:
    wrong = [
        ({"email": "nobody"}, "email"),
        ({"email": "two words@example.com"}, "email"),
        ({"email": "a@b@example.com"}, "email"),
        ({"email": "a@localhost"}, "email"),
        ({"email": "zero\0@example.com"}, "email"),
        ({"email": "x" * 250 + "@example.com"}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "password123"}, "password"),
        ({"password": "x" * 1025}, "password"),
    ]
    for change, field in wrong:
        answer = await register(site, **{"email": "fine@example.com", **change})
        assert answer.status_code == 422 and answer.json()["field"] == field, answer.text


async def test_sign_in_does_not_reveal_accounts(site: Site, make: Make) -> None:
    await register(site, "known@example.com")
    await make.account(email="no-password@example.com")
    reported = [
        await sign_in(site, "known@example.com", "not the right one"),
        await sign_in(site, "unknown@example.com"),
        await sign_in(site, "no-password@example.com"),
        await sign_in(site, "known@example.com", kind="vendor"),
        await sign_in(site, "not an address"),
        await sign_in(site, "known@example.com", "x" * 2000),
    ]
    assert {item.status_code for item in reported} == {401}
    assert len({item.text for item in reported}) == 1 and "wrong-credentials" in reported[0].text


async def test_every_sign_in_checks_two_hashes_whatever_the_identifier(
    site: Site, make: Make, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same path for known and unknown addresses; test_codes_races measures the rest of its time."""
    await register(site, "known@example.com")
    await make.account(email="no-password@example.com")
    hashes: list[str] = []
    verify = Hasher._verify  # pyright: ignore[reportPrivateUsage]

    def counted(self: Hasher, hashed: str, password: str) -> bool:
        hashes.append(hashed)
        return verify(self, hashed, password)

    monkeypatch.setattr(Hasher, "_verify", counted)
    for email in ("known@example.com", "unknown@example.com", "no-password@example.com", "not an address", "zero\0@example.com"):
        before = len(hashes)
        await sign_in(site, email, "not the right one")
        assert len(hashes) == before + 2, email  # of both kinds of account
    assert len({digest.rpartition("$")[0].rpartition("$")[0] for digest in hashes}) == 1  # the same algorithm and cost


async def test_a_disabled_account_gets_nowhere(site: Site) -> None:
    body = (await register(site, "gone@example.com")).json()
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    async with site.services.db.tx() as tx:
        await tx.connection.execute("update accounts.accounts set is_active = false where email = 'gone@example.com'")
    assert (await sign_in(site, "gone@example.com")).status_code == 401
    assert (await site.client.get("/api/v1/me", headers=headers)).status_code == 401
    refreshed = await site.client.post("/api/v1/auth/refresh", json={"refresh_token": body["refresh_token"]})
    assert refreshed.status_code == 401
    start = await site.client.post(
        "/api/v1/generations", json={"style_name": "oil", "product_files": [str(new_id())]}, headers=headers
    )
    assert start.status_code == 401
    page = await site.client.get("/wallet", cookies={"vetrina_session": body["refresh_token"]})
    assert page.status_code == 303 and page.headers["location"].startswith("/sign-in")


async def test_sign_ins_cannot_take_the_machine(full_cost: None, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = most = 0
    verify = Hasher._verify  # pyright: ignore[reportPrivateUsage]

    def slow(self: Hasher, hashed: str, password: str) -> bool:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        time.sleep(0.02)
        fits = verify(self, hashed, password)
        busy -= 1
        return fits

    monkeypatch.setattr(Hasher, "_verify", slow)
    await unlimited(site.services, "sign_in_target")
    await register(site, "a@example.com")
    answers = await race(60, lambda: sign_in(site, "a@example.com"))
    statuses = [answer.status_code for answer in answers if isinstance(answer, httpx2.Response)]
    assert len(statuses) == 60 and set(statuses) == {201, 429}
    assert statuses.count(201) >= CONCURRENT + QUEUED and most <= CONCURRENT
    full = next(answer for answer in answers if isinstance(answer, httpx2.Response) and answer.status_code == 429)
    assert full.headers["retry-after"] == "2" and full.json()["type"] == "urn:vetrina:busy"
    assert (await sign_in(site, "a@example.com")).status_code == 201  # and it recovers


async def test_a_caller_that_leaves_gives_its_place_back() -> None:
    hasher = Hasher()
    waiting = [asyncio.create_task(hasher.matches(None, "some password")) for _ in range(CONCURRENT + QUEUED)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await hasher.matches(None, "one too many")
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await hasher.matches(None, "some password") is False


async def test_passwords_are_argon2id_and_salted(full_cost: None) -> None:
    hasher = Hasher()
    one, two = await hasher.hash(PASSWORD), await hasher.hash(PASSWORD)
    assert one != two and one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await hasher.matches(one, PASSWORD) and not await hasher.matches(one, PASSWORD + " ")
    assert not await hasher.matches("not a hash", PASSWORD)


def test_which_passwords_are_weak() -> None:
    for weak in ("", "nine char", "PASSWORD123", "1234567890", "x" * 1025):
        with pytest.raises(WeakPassword):
            passwords.check(weak)
    for fine in ("ten chars!", "correct horse battery staple", "пароль подлиннее", "x" * 1024):
        passwords.check(fine)
