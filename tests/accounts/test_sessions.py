"""Sessions: a refresh token works once, a stolen one ends them all, and what has ended is refused."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

import httpx2
import psycopg

from tests.make import Account, Make, race
from tests.site import Site
from vetrina.accounts import actions, tokens
from vetrina.accounts.tokens import AccessTokens, SessionToken
from vetrina.core.ids import new_id


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


def age(owner: str, account: Account, **ages: str) -> None:
    """Set times of the session back."""
    with psycopg.connect(owner, autocommit=True) as connection:
        for column, interval in ages.items():
            connection.execute(
                f"update accounts.sessions set {column} = now() - %s::interval where account_id = %s and id = %s",  # type: ignore
                (interval, account.id, account.session_id),
            )


async def test_a_refresh_gives_the_next_pair(site: Site, make: Make) -> None:
    account = await make.account()
    text = refresh_token(account)
    for _ in range(3):
        body = (await refresh(site, text)).json()
        assert body["refresh_token"] != text and body["expires_in"] == 900
        text = body["refresh_token"]
        me = await site.client.get("/api/v1/me", headers={"Authorization": f"Bearer {body['access_token']}"})
        assert me.status_code == 200 and me.json()["id"] == str(account.id)
    assert (await session(site, account))["rotations"] == 3


async def test_of_64_uses_of_one_refresh_token_at_once_one_has_a_child(site: Site, make: Make) -> None:
    account = await make.account()
    answers = await race(64, lambda: refresh(site, refresh_token(account)))
    found = [each for each in answers if isinstance(each, httpx2.Response)]
    assert Counter(each.status_code for each in found) == {201: 1, 401: 63}
    row = await session(site, account)
    assert row["rotations"] == 1 and row["revoked_at"] is None  # a client that sent it twice keeps its session
    child = next(each.json()["refresh_token"] for each in found if each.status_code == 201)
    assert (await refresh(site, child)).status_code == 201


async def test_a_spent_token_used_later_ends_the_session(site: Site, make: Make, owner: str) -> None:
    account = await make.account()
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
    account = await make.account()
    first = refresh_token(account)
    second = (await refresh(site, first)).json()["refresh_token"]
    third = (await refresh(site, second)).json()["refresh_token"]
    assert (await refresh(site, first)).status_code == 401
    assert (await refresh(site, third)).status_code == 401


async def test_what_is_no_refresh_token(site: Site, make: Make) -> None:
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


async def test_signing_out_ends_it(site: Site, make: Make) -> None:
    account = await make.account(tokens=5)
    async with site.api(account) as api:
        assert (await api.delete("/auth/session")).status_code == 204
        # The access token reads until it expires, a quarter of an hour at most; what moves credits refuses it at once.
        assert tokens.ACCESS_SECONDS <= 900
        assert (await api.get("/wallet")).status_code == 200
        assert (await api.get("/me")).status_code == 401
        start = await api.post("/generations", json={"style_name": "watercolour", "product_files": [str(new_id())]})
        assert start.status_code == 401, start.text
    assert (await refresh(site, refresh_token(account))).status_code == 401
    assert await make.balance(account) == (5, 0)


async def test_an_access_token_expires(site: Site, make: Make) -> None:
    account = await make.account()
    own = AccessTokens(site.services.keys)
    text = own.issue(account.id, account.session_id, "user")
    assert own.read(text) is not None
    principal, expires = own._known[text]  # pyright: ignore[reportPrivateUsage]
    own._known[text] = (principal, expires - 901)  # pyright: ignore[reportPrivateUsage]
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


async def test_one_ends_ones_own_sessions_and_nobody_elses(site: Site, make: Make) -> None:
    account, stranger = await make.account(), await make.account()
    async with site.services.db.tx() as tx:
        second = await actions._open(tx, account.id, actions.Device("curl/8", None))  # pyright: ignore[reportPrivateUsage]
    async with site.api(account) as api, site.api(stranger) as other:
        listed = (await api.get("/sessions")).json()["items"]
        assert {each["id"] for each in listed} == {str(account.session_id), str(second.session_id)}
        assert "hash" not in str(listed)
        await other.post(f"/sessions/{second.session_id}/revocation")
        await other.post("/sessions/revocation")
        assert len((await api.get("/sessions")).json()["items"]) == 2
        assert (await api.post("/sessions/revocation")).status_code == 204
        assert [UUID(each["id"]) for each in (await api.get("/sessions")).json()["items"]] == [account.session_id]
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
    age(owner, account, last_used_at="1 minute")
    old = (await session(site, account))["used_at"]
    await refresh(site, refresh_token(account))
    assert (await session(site, account))["used_at"] > old


async def test_a_cookie_is_no_bearer_token_and_a_bad_one_is_nobody(site: Site, make: Make) -> None:
    account = await make.account()
    for cookie in ("vetrina_session=", "vetrina_session=x", f"vetrina_session={'A' * 88}", "vetrina_session=é", ";;=;"):
        answer = await site.client.get("/wallet", headers={"Cookie": cookie.encode()})
        assert answer.status_code == 303, cookie
    async with site.browser(account) as browser:
        assert (await browser.get("/api/v1/me")).status_code == 200
