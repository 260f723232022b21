"""An account's owner changes the password, the address and the phone; the old address can undo it for seven days."""

from __future__ import annotations

import re
from typing import Any

import httpx2

from tests.accounts.auth_helpers import bearer, code_to, letters, post, registered
from tests.accounts.auth_helpers import wrong as wrong_code
from tests.accounts.second_factor.test_second_factor import enrolled
from tests.factories import PASSWORD, Make
from tests.server import Site
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles.actions import Role
from vetrina.accounts.second_factor import actions as second_factor

OLD, NEW, PHONE = "old@example.com", "new@example.com", "+989123456789"


async def owner(site: Site) -> dict[str, Any]:
    """An account whose address is confirmed."""
    body = await registered(site, email=OLD)
    fields = {"email": OLD, "purpose": "email_verify", "code": await code_to(site, OLD), "password": PASSWORD}
    assert (await post(site, "/auth/verifications/confirmation", fields)).status_code == 200
    return body


async def changed(site: Site, body: dict[str, Any], **to: str) -> httpx2.Response:
    """Change an identifier with the password and the code that is sent to the new one."""
    response = await post(site, "/auth/identifiers", {**to, "password": PASSWORD}, headers=bearer(body))
    assert response.status_code == 202, response.text
    code = await code_to(site, next(iter(to.values())))
    return await post(site, "/auth/identifiers/confirmation", {**to, "code": code}, headers=bearer(body))


async def undo_token(site: Site, count: int = 2) -> str:
    """The token of the newest link in the messages to the old address, once there are `count`."""
    for letter in await letters(site, OLD, count):
        if match := re.search(r"/undo/(\S+)", letter["text"]):
            return match[1]
    raise AssertionError("no message has a link to undo the change")


async def test_the_address_changes_with_password_and_code_and_the_old_one_undoes_it(posting: Site) -> None:
    body = await owner(posting)
    wrong = await post(posting, "/auth/identifiers", {"email": NEW, "password": "not the right one"}, headers=bearer(body))
    assert wrong.status_code == 403
    answer = await changed(posting, body, email=NEW)
    assert answer.status_code == 200 and answer.json()["email"] == NEW and answer.json()["email_verified"]
    assert (await post(posting, "/auth/session", {"email": OLD, "password": PASSWORD})).status_code == 401
    thief = (await post(posting, "/auth/session", {"email": NEW, "password": PASSWORD})).json()
    taken = await post(posting, "/auth/registration", {"email": OLD, "password": PASSWORD})
    assert taken.status_code == 409, "the old address is kept for seven days"
    await enrolled(posting, thief)
    token = await undo_token(posting)
    undone = await post(posting, "/auth/identifiers/undo", {"token": token})
    assert undone.status_code == 204
    assert (await posting.client.get("/api/v1/me", headers=bearer(thief))).status_code == 401
    for email in (OLD, NEW):
        assert (await post(posting, "/auth/session", {"email": email, "password": PASSWORD})).status_code == 401
    count = len(await letters(posting, OLD, 2))
    await post(posting, "/auth/password-reset", {"email": OLD})
    code = await code_to(posting, OLD, count + 1)
    reset = {"email": OLD, "code": code, "password": "the owner's new one"}
    assert (await post(posting, "/auth/password-reset/confirmation", reset)).status_code == 200
    assert (await post(posting, "/auth/session", {"email": OLD, "password": "the owner's new one"})).status_code == 201
    again = await post(posting, "/auth/identifiers/undo", {"token": token})
    assert again.status_code == 410 and again.json()["type"] == "urn:vetrina:undo-expired"


async def test_after_seven_days_the_old_address_is_free(posting: Site) -> None:
    body = await owner(posting)
    assert (await changed(posting, body, email=NEW)).status_code == 200
    token = await undo_token(posting)
    async with posting.services.db.tx() as tx:
        await tx.connection.execute("update accounts.identifier_changes set undo_until = now() - interval '1 second'")
    assert (await post(posting, "/auth/identifiers/undo", {"token": token})).status_code == 410
    assert (await post(posting, "/auth/registration", {"email": OLD, "password": PASSWORD})).status_code == 201


async def test_a_phone_is_added_and_asks_for_the_second_factor(posting: Site) -> None:
    body = await owner(posting)
    there, _ = await enrolled(posting, body)
    bare = await post(posting, "/auth/identifiers", {"phone": PHONE, "password": PASSWORD}, headers=bearer(body))
    assert bare.status_code == 422 and bare.json()["type"] == "urn:vetrina:wrong-code"
    fields = {"phone": PHONE, "password": PASSWORD, "code": there.next()}
    assert (await post(posting, "/auth/identifiers", fields, headers=bearer(body))).status_code == 202
    done = {"phone": PHONE, "code": await code_to(posting, PHONE)}
    answer = await post(posting, "/auth/identifiers/confirmation", done, headers=bearer(body))
    assert answer.json()["phone"] == PHONE and answer.json()["phone_verified"] and answer.json()["email"] == OLD


async def test_an_added_phone_is_removed_again_from_the_confirmed_address(posting: Site) -> None:
    body = await owner(posting)
    assert (await changed(posting, body, phone=PHONE)).status_code == 200
    links = [letter["text"] for letter in await letters(posting, OLD, 3) if "/undo/" in letter["text"]]
    assert len(links) == 1 and "undo it within seven days" in links[0]
    token = re.search(r"/undo/(\S+)", links[0])
    assert token is not None
    assert (await post(posting, "/auth/identifiers/undo", {"token": token[1]})).status_code == 204
    signed_out = await post(posting, "/auth/identifiers", {"phone": PHONE, "password": PASSWORD}, headers=bearer(body))
    assert signed_out.status_code == 401, "every session ends"
    sms = await post(posting, "/auth/verifications", {"phone": PHONE, "purpose": "sign_in"})
    assert sms.status_code == 202
    async with posting.services.db.read() as tx:
        rows = await tx.connection.execute("select count(*) from accounts.accounts where phone is not null")
        assert await rows.fetchone() == (0,)


async def test_an_address_of_another_account_is_notified_and_never_changes_hands(posting: Site) -> None:
    body = await owner(posting)
    await registered(posting, email=NEW)
    response = await post(posting, "/auth/identifiers", {"email": NEW, "password": PASSWORD}, headers=bearer(body))
    assert response.status_code == 202, "the answer is the same"
    assert any("already" in letter["subject"] for letter in await letters(posting, NEW, 2))


async def test_the_password_changes_without_mail(site: Site) -> None:
    login = {"email": OLD, "password": PASSWORD}
    body = (await post(site, "/auth/registration", login)).json()
    other = (await post(site, "/auth/session", login)).json()
    fields = {"password": "not the right one", "new_password": "another long enough one"}
    assert (await post(site, "/auth/password", fields, headers=bearer(body))).status_code == 403
    fields["password"] = PASSWORD
    assert (await post(site, "/auth/password", fields, headers=bearer(body))).status_code == 204
    assert (await site.client.get("/api/v1/me", headers=bearer(other))).status_code == 401
    assert (await site.client.get("/api/v1/me", headers=bearer(body))).status_code == 200
    assert (await post(site, "/auth/session", {**login, "password": fields["new_password"]})).status_code == 201


async def test_the_pages(posting: Site) -> None:
    await owner(posting)
    async with httpx2.AsyncClient(base_url=posting.url) as browser:
        assert (await browser.post("/sign-in", data={"email": OLD, "password": PASSWORD})).status_code == 303
        page = (await browser.get("/settings/security")).text
        assert "Change the e-mail address" in page and "Add a phone number" in page and "Change the password" in page
        form = {"channel": "email", "email": "not an address", "password": PASSWORD}
        refused = await browser.post("/settings/security/identifiers", data=form)
        assert refused.status_code == 422 and "does not look like an e-mail address" in refused.text
        weak = await browser.post("/settings/security/password", data={"password": PASSWORD, "new_password": "short"})
        assert weak.status_code == 422 and 'id="new_password-error"' in weak.text
        response = await browser.post("/settings/security/identifiers", data={**form, "email": NEW})
        assert response.status_code == 303 and response.headers["location"] == "/verify"
        code = await code_to(posting, NEW)
        code_form = await browser.get("/verify")
        assert code_form.status_code == 200 and "Confirm your address" in code_form.text and NEW in code_form.text
        mistyped = await browser.post("/verify", data={"code": wrong_code(code)})
        assert mistyped.status_code == 422 and 'id="code-error"' in mistyped.text
        done = await browser.post("/verify", data={"code": code})
        assert done.headers["location"] == "/settings/security"
        assert f"{NEW} is yours now." in (await browser.get("/settings/security")).text
        token = await undo_token(posting)
        assert "Undo it" in (await browser.get(f"/undo/{token}")).text
        assert (await browser.post("/undo", data={"token": token})).headers["location"] == "/reset"
        assert (await browser.post("/undo", data={"token": token})).status_code == 410


async def test_an_operator_removes_a_lost_second_factor_after_three_days(posting: Site, make: Make) -> None:
    body = await owner(posting)
    there, _ = await enrolled(posting, body)
    operator = await make.account()
    async with posting.services.db.tx() as tx:
        await roles.grant(tx, operator.id, Role.ADMIN)
    path = f"/operator/accounts/{body['account']['id']}/second-factor-removal"

    async def due(interval: str) -> None:
        async with posting.services.db.tx() as tx:
            await tx.connection.execute("update accounts.second_factor_removals set due_at = due_at - %s::interval", (interval,))

    async with posting.api(operator) as api:
        assert (await api.post(path)).status_code == 202
        assert "will be removed" in (await letters(posting, OLD, 3))[0]["subject"]
        await due("2 days")
        assert await second_factor.remove_due(posting.services) == 0
        login = {"email": OLD, "password": PASSWORD}
        challenge = (await post(posting, "/auth/session", login)).json()["challenge"]
        entered = await post(posting, "/auth/session/second-factor", {"challenge": challenge, "code": there.next()})
        assert entered.status_code == 201
        await due("2 days")
        assert await second_factor.remove_due(posting.services) == 0, "signing in with it cancels the removal"
        assert (await api.post(path)).status_code == 202
        await due("3 days")
        assert await second_factor.remove_due(posting.services) == 1
    assert (await post(posting, "/auth/session", {"email": OLD, "password": PASSWORD})).status_code == 201
    subjects = [letter["subject"] for letter in await letters(posting, OLD, 5)]
    assert any("is off" in subject for subject in subjects), subjects
