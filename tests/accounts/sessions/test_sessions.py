"""Sessions: a refresh token works once, a stolen one ends them all, and what has ended is refused."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

import httpx2
import psycopg

from tests.factories import Account, Make, race
from tests.server import Site, serving
from vetrina.accounts.model import Device
from vetrina.accounts.operator import actions as operators
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles.actions import Role
from vetrina.accounts.sessions import actions as sessions
from vetrina.accounts.sessions import tokens
from vetrina.accounts.sessions.tokens import AccessTokens, SessionToken
from vetrina.core.database.ids import new_id
from vetrina.core.services import connect
from vetrina.core.settings.environment import Settings


def refresh_token(account: Account) -> str:
    return next(iter(account.cookies.values()))


async def refresh(site: Site, text: str) -> httpx2.Response:
    return await site.client.post("/api/v1/auth/refresh", json={"refresh_token": text})


async def session(site: Site, account: Account) -> dict[str, Any]:
    """The session's row."""
    async with site.services.db.read() as tx:
        cursor = await tx.connection.execute(
            "select rotation_counter, revoked_at, revoked_why, last_used_at from accounts.sessions"
            " where account_id = %s and id = %s",
            (account.id, account.session_id),
        )
        row = await cursor.fetchone()
        assert row is not None
        return dict(zip(("rotations", "revoked_at", "why", "used_at"), row, strict=True))


async def refused(api: httpx2.AsyncClient) -> None:
    """Fails unless the client's access token stops to count within a second."""
    async with asyncio.timeout(1):
        while (await api.get("/wallet")).status_code != 401:
            await asyncio.sleep(0.01)


def age(owner: str, account: Account, **ages: str) -> None:
    """Set times of the session back."""
    with psycopg.connect(owner, autocommit=True) as connection:
        for column, interval in ages.items():
            connection.execute(
                f"update accounts.sessions set {column} = now() - %s::interval where account_id = %s and id = %s",  # type: ignore
                (interval, account.id, account.session_id),
            )


async def test_a_refresh_gives_the_next_pair(site: Site, make: Make) -> None:
    account = await make.account(client="program")
    text = refresh_token(account)
    for _ in range(3):
        body = (await refresh(site, text)).json()
        assert body["refresh_token"] != text and body["expires_in"] == 900
        text = body["refresh_token"]
        me = await site.client.get("/api/v1/me", headers={"Authorization": f"Bearer {body['access_token']}"})
        assert me.status_code == 200 and me.json()["id"] == str(account.id)
    assert (await session(site, account))["rotations"] == 3


async def test_of_64_uses_of_one_refresh_token_at_once_one_has_a_child(site: Site, make: Make) -> None:
    account = await make.account(client="program")
    answers = await race(64, lambda: refresh(site, refresh_token(account)))
    result = [answer for answer in answers if isinstance(answer, httpx2.Response)]
    assert Counter(item.status_code for item in result) == {201: 1, 401: 63}
    row = await session(site, account)
    assert row["rotations"] == 1 and row["revoked_at"] is None  # a client that sent it twice keeps its session
    child = next(item.json()["refresh_token"] for item in result if item.status_code == 201)
    assert (await refresh(site, child)).status_code == 201


async def test_a_spent_token_used_later_ends_the_session(site: Site, make: Make, owner: str) -> None:
    account = await make.account(client="program")
    first = refresh_token(account)
    second = (await refresh(site, first)).json()["refresh_token"]
    assert (await refresh(site, first)).status_code == 401
    assert (await session(site, account))["revoked_at"] is None  # within 10 s it may be a lost answer
    age(owner, account, rotated_at="11 seconds")
    assert (await refresh(site, first)).status_code == 401
    row = await session(site, account)
    assert row["revoked_at"] is not None and row["why"] == "refresh token used again"
    assert (await refresh(site, second)).status_code == 401
    assert (await site.client.get("/api/v1/me", headers=account.headers)).status_code == 401


async def test_a_token_two_generations_old_ends_the_session_at_once(site: Site, make: Make) -> None:
    account = await make.account(client="program")
    first = refresh_token(account)
    second = (await refresh(site, first)).json()["refresh_token"]
    third = (await refresh(site, second)).json()["refresh_token"]
    assert (await refresh(site, first)).status_code == 401
    assert (await refresh(site, third)).status_code == 401


async def test_invalid_refresh_tokens_are_rejected(site: Site, make: Make) -> None:
    account, other = await make.account(), await make.account()
    real = tokens.parse(refresh_token(account))
    assert real is not None
    swapped = SessionToken(other.id, real.session_id, real.secret)
    for text in ("", "x", "A" * 88, "é" * 10, refresh_token(account)[:-4], swapped.text()):
        answer = await refresh(site, text)
        assert answer.status_code == 401 and answer.json()["type"] == "urn:vetrina:session-ended", text
    assert (await session(site, account))["revoked_at"] is None


async def test_an_expired_session_is_no_session(site: Site, make: Make, owner: str) -> None:
    account = await make.account()
    age(owner, account, created_at="31 days", expires_at="1 second")
    assert (await refresh(site, refresh_token(account))).status_code == 401
    async with site.browser(account) as browser, site.api(account) as api:
        assert (await browser.get("/wallet")).status_code == 303
        assert (await api.get("/me")).status_code == 401


async def test_signing_out_ends_the_session(site: Site, make: Make) -> None:
    account = await make.account(tokens=5)
    async with site.api(account) as api:
        assert (await api.delete("/auth/session")).status_code == 204
        # What moves credits and what shows who one is asks the database; the rest hears of it in a moment.
        assert (await api.get("/me")).status_code == 401
        start = await api.post("/generations", json={"style_name": "watercolour", "product_files": [str(new_id())]})
        assert start.status_code == 401, start.text
        await refused(api)
    assert (await refresh(site, refresh_token(account))).status_code == 401
    assert await make.balance(account) == (5, 0)


async def test_a_session_that_ends_is_ended_in_every_process(site: Site, make: Make, settings: Settings, database: str) -> None:
    early, one, late = await make.account(), await make.account(), await make.account()
    async with serving(connect(settings, database)) as other:
        async with site.services.db.tx() as tx:
            await sessions.revoke(tx, one.id, one.session_id)
        for process in (site, other):
            async with process.api(one) as api, process.api(early) as api_:
                await refused(api)
                assert (await api_.get("/wallet")).status_code == 200
    async with site.services.db.tx() as tx:
        await operators.disable(tx, None, late.id, why="a test")
    # One that starts after it hears of it too, and so does one that listens again.
    async with serving(connect(settings, database)) as third:
        for account in (one, late):
            async with third.api(account) as api:
                await refused(api)


async def test_disabling_an_account_ends_its_sessions_at_once(site: Site, make: Make) -> None:
    account, operator = await make.account(), await make.account()
    async with site.services.db.tx() as tx:
        await roles.grant(tx, operator.id, Role.ADMIN)
    path = f"/operator/accounts/{account.id}"
    async with site.api(operator) as by, site.api(account) as api, site.browser(account) as browser:
        assert (await by.post(f"{path}/disabling", json={"why": ""})).status_code == 422
        disabled = await by.post(f"{path}/disabling", json={"why": "spam"})
        assert disabled.status_code == 201 and disabled.json()["state"] == "disabled"
        assert (await browser.get("/wallet")).status_code == 303
        assert (await api.get("/me")).status_code == 401
        await refused(api)
        assert (await refresh(site, refresh_token(account))).status_code == 401
        assert (await by.post(f"{path}/disabling", json={"why": "again"})).status_code == 201
        # The account comes back, its sessions do not.
        assert (await by.post(f"{path}/enabling")).json()["state"] == "active"
        assert (await browser.get("/wallet")).status_code == 303
        assert (await by.post(f"/operator/accounts/{operator.id}/disabling", json={"why": "oops"})).status_code == 403


async def test_operators_are_disabled_by_superusers_alone(site: Site, make: Make) -> None:
    admin, second, superuser = [await make.account() for _ in range(3)]
    async with site.services.db.tx() as tx:
        for account, role in ((admin, Role.ADMIN), (second, Role.ADMIN), (superuser, Role.SUPERUSER)):
            await roles.grant(tx, account.id, role)
    path = f"/operator/accounts/{second.id}"
    async with site.api(admin) as api:
        for action in ("disabling", "enabling", "sessions/revocation"):
            answer = await api.post(f"{path}/{action}", json={"why": "a coup"} if action == "disabling" else None)
            assert answer.status_code == 403 and answer.json()["type"] == "urn:vetrina:superuser-required", action
    async with site.api(superuser) as api:
        assert (await api.post(f"{path}/sessions/revocation")).status_code == 204
        assert (await api.post(f"{path}/disabling", json={"why": "left"})).json()["state"] == "disabled"
    async with site.browser(admin) as browser:
        page = await browser.get(f"/operator/accounts/{superuser.id}")
        assert page.status_code == 200 and "/disabling" not in page.text
        assert (await browser.post(f"/operator/accounts/{superuser.id}/disabling", data={"why": "x"})).status_code == 403


async def test_session_lists_its_last_address(site: Site, make: Make, owner: str) -> None:
    account = await make.account()
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("update accounts.sessions set ip = '192.0.2.9', last_used_at = now() - interval '6 minutes'")
    async with site.api(account) as api, site.browser(account) as browser:
        assert (await api.get("/sessions")).json()["items"][0]["ip"] == "192.0.2.9"
        await browser.get("/account")
        displayed = (await api.get("/sessions")).json()["items"][0]
        assert displayed["ip"] == "127.0.0.1" and displayed["current"] is True and displayed["device"] == "test, a program"
    program = await make.account(client="program")
    answer = await site.client.post(
        "/api/v1/auth/refresh", json={"refresh_token": refresh_token(program)}, headers={"User-Agent": "curl/8.9"}
    )
    async with site.api(program) as api:
        assert answer.status_code == 201
        assert (await api.get("/sessions")).json()["items"][0]["device"] == "curl, a program"


async def test_an_access_token_expires(site: Site, make: Make) -> None:
    account = await make.account()
    own = AccessTokens(site.services.keys)
    text = own.issue(account.id, account.session_id, "user")
    assert own.read(text) is not None
    principal, expires = own._verified[text]  # pyright: ignore[reportPrivateUsage]
    own._verified[text] = (principal, expires - 901)  # pyright: ignore[reportPrivateUsage]
    assert own.read(text) is None


async def test_access_tokens_of_others_are_refused(site: Site, make: Make) -> None:
    account = await make.account()
    good = account.headers["Authorization"].removeprefix("Bearer ")
    head, claims, signature = good.split(".")
    forged = AccessTokens([b"another key"]).issue(account.id, account.session_id, "user")
    none = "eyJhbGciOiJub25lIn0." + claims + "."
    for text in (forged, none, f"{head}.{claims}.{signature[:-2]}AA", good[:-1], "-", refresh_token(account)):
        answer = await site.client.get("/api/v1/wallet", headers={"Authorization": f"Bearer {text}"})
        assert answer.status_code == 401, text
    assert (await site.client.get("/api/v1/wallet", headers={"Authorization": f"Basic {good}"})).status_code == 401
    rotated = AccessTokens([b"a new key", *site.services.keys])
    assert rotated.read(good) is not None  # while secrets are changed


async def test_account_ends_only_its_own_sessions(site: Site, make: Make) -> None:
    account, stranger = await make.account(), await make.account()
    async with site.services.db.tx() as tx:
        second = await sessions.insert_session(tx, account.id, Device("curl/8", None))
    async with site.api(account) as api, site.api(stranger) as other:
        listed = (await api.get("/sessions")).json()["items"]
        assert {item["id"] for item in listed} == {str(account.session_id), str(second.session_id)}
        assert "hash" not in str(listed)
        await other.post(f"/sessions/{second.session_id}/revocation")
        await other.post("/sessions/revocation")
        assert len((await api.get("/sessions")).json()["items"]) == 2
        assert (await api.post("/sessions/revocation")).status_code == 204
        assert [UUID(item["id"]) for item in (await api.get("/sessions")).json()["items"]] == [account.session_id]
        assert (await other.get("/me")).status_code == 200
    assert (await refresh(site, second.text())).status_code == 401


async def test_the_last_use_is_written_now_and_then(site: Site, make: Make, owner: str) -> None:
    account = await make.account()
    age(owner, account, last_used_at="4 minutes")
    async with site.browser(account) as browser:
        before = (await session(site, account))["used_at"]
        await browser.get("/account")
        assert (await session(site, account))["used_at"] == before
        age(owner, account, last_used_at="6 minutes")
        old = (await session(site, account))["used_at"]
        await browser.get("/account")
        new = (await session(site, account))["used_at"]
        assert (new - old).total_seconds() > 300
        await browser.get("/account")
        assert (await session(site, account))["used_at"] == new
    program = await make.account(client="program")
    age(owner, program, last_used_at="1 minute")
    old = (await session(site, program))["used_at"]
    await refresh(site, refresh_token(program))
    assert (await session(site, program))["used_at"] > old


async def test_a_cookie_does_not_refresh_and_a_refresh_token_is_no_cookie(site: Site, make: Make) -> None:
    browser, program = await make.account(), await make.account(client="program")
    assert (await refresh(site, refresh_token(browser))).status_code == 401
    assert (await session(site, browser))["revoked_at"] is None
    async with site.browser(browser) as client:
        assert (await client.get("/account")).status_code == 200
    async with site.browser(program) as client:
        assert (await client.get("/account")).status_code == 303
    assert (await refresh(site, refresh_token(program))).status_code == 201


async def test_invalid_cookies_are_anonymous(site: Site, make: Make) -> None:
    account = await make.account()
    for cookie in ("vetrina_session=", "vetrina_session=x", f"vetrina_session={'A' * 88}", "vetrina_session=é", ";;=;"):
        answer = await site.client.get("/wallet", headers={b"Cookie": cookie.encode()})
        assert answer.status_code == 303, cookie
    async with site.browser(account) as browser:
        assert (await browser.get("/api/v1/me")).status_code == 200


async def test_api_answers_about_a_person_are_not_stored(site: Site, make: Make) -> None:
    account = await make.account()
    async with site.api(account) as api:
        for path in ("/me", "/wallet", "/sessions", "/files", "/audit-logs", "/generations/00000000-0000-7000-8000-000000000000"):
            assert (await api.get(path)).headers["cache-control"] == "no-store", path
    failed = await site.client.post("/api/v1/auth/session", json={"email": "ada@example.com", "password": "wrong, whoever"})
    assert failed.status_code == 401 and failed.headers["cache-control"] == "no-store"
