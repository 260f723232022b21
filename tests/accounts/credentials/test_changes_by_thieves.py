"""A thief of a session or of a password changes an account's identifiers: the owner keeps it, or gets it back."""

from __future__ import annotations

import re

import httpx2

from tests.accounts.auth_helpers import bearer, code_to, letters, post, registered
from tests.accounts.credentials.test_changes import NEW, OLD, PHONE, changed, owner, undo_token
from tests.factories import PASSWORD
from tests.server import Site

THIRD = "third@example.com"


async def test_a_code_for_a_change_is_right_for_the_account_that_gave_its_password_only(posting: Site) -> None:
    body = await owner(posting)  # its session is stolen; its password is not
    thief = await registered(posting, email="thief@example.com")
    response = await post(posting, "/auth/identifiers", {"email": NEW, "password": PASSWORD}, headers=bearer(thief))
    assert response.status_code == 202
    done = {"email": NEW, "code": await code_to(posting, NEW)}
    stolen = await post(posting, "/auth/identifiers/confirmation", done, headers=bearer(body))
    assert stolen.status_code == 422 and stolen.json()["type"] == "urn:vetrina:wrong-code", stolen.text
    me = (await posting.client.get("/api/v1/me", headers=bearer(body))).json()
    assert me["email"] == OLD
    assert (await post(posting, "/auth/identifiers/confirmation", done, headers=bearer(thief))).json()["email"] == NEW


async def test_another_code_is_for_the_account_that_the_change_began_with(posting: Site) -> None:
    await owner(posting)
    await registered(posting, email="thief@example.com")
    form = {"channel": "email", "email": NEW, "password": PASSWORD}
    async with httpx2.AsyncClient(base_url=posting.url) as thief, httpx2.AsyncClient(base_url=posting.url) as stolen:
        await thief.post("/sign-in", data={"email": "thief@example.com", "password": PASSWORD})
        await stolen.post("/sign-in", data={"email": OLD, "password": PASSWORD})
        assert (await thief.post("/settings/security/identifiers", data=form)).headers["location"] == "/verify"
        stolen.cookies.set("vetrina_pending", thief.cookies["vetrina_pending"], domain="127.0.0.1", path="/")
        assert (await stolen.post("/verify/again")).headers["location"] == "/verify"
        code = await code_to(posting, NEW, 2)
        stranger = httpx2.Cookies({"vetrina_pending": stolen.cookies["vetrina_pending"]})
        signed_out = await httpx2.AsyncClient(base_url=posting.url, cookies=stranger).post("/verify", data={"code": code})
        assert signed_out.status_code in {303, 401} and "settings" not in signed_out.headers.get("location", ""), signed_out.text
        refused = await stolen.post("/verify", data={"code": code})
        assert refused.status_code == 422, refused.headers


async def test_undoing_a_change_undoes_the_later_ones_and_their_links(posting: Site) -> None:
    body = await owner(posting)
    assert (await changed(posting, body, email=NEW)).status_code == 200
    assert (await changed(posting, body, email=THIRD)).status_code == 200
    assert (await changed(posting, body, phone=PHONE)).status_code == 200
    links = [match[1] for letter in await letters(posting, NEW, 2) if (match := re.search(r"/undo/(\S+)", letter["text"]))]
    assert (await post(posting, "/auth/identifiers/undo", {"token": await undo_token(posting)})).status_code == 204
    assert (await post(posting, "/auth/identifiers/undo", {"token": links[0]})).status_code == 410
    assert await identifiers_of(posting) == (OLD, True, None, False)


async def test_undoing_a_change_removes_a_number_that_was_added_shortly_before(posting: Site) -> None:
    body = await owner(posting)
    assert (await changed(posting, body, phone=PHONE)).status_code == 200
    assert (await changed(posting, body, email=NEW)).status_code == 200
    assert (await post(posting, "/auth/identifiers/undo", {"token": await undo_token(posting, 3)})).status_code == 204
    assert await identifiers_of(posting) == (OLD, True, None, False), "a code to the number would open the account"


async def identifiers_of(site: Site) -> tuple[str | None, bool, str | None, bool] | None:
    """The address and number of the only account that was changed, each with whether it is confirmed."""
    async with site.services.db.read() as tx:
        rows = await tx.connection.execute(
            "select email, email_verified_at is not null, phone, phone_verified_at is not null from accounts.accounts a"
            " where exists (select from accounts.identifier_changes c where c.account_id = a.id)"
        )
        return await rows.fetchone()
