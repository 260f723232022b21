"""Issue 9, 17: dangerous acts of operators ask for the password again, and the form that was sent is kept."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from tests.factories import Account, Make
from tests.payments.helpers import press, scalar, start
from tests.server import Site
from tests.wallet.helpers import rows
from vetrina.accounts.passwords import Hasher
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles.actions import Role
from vetrina.core.database.connection import Database
from vetrina.core.database.ids import new_id
from vetrina.core.services import Services

PASSWORD = "correct horse 9 battery"


@pytest.fixture
async def admin(make: Make, services: Services, db: Database) -> Account:
    """A superuser with a password, signed in an hour ago."""
    account = await make.account()
    async with db.tx() as tx:
        await roles.grant(tx, account.id, Role.SUPERUSER)
        await tx.connection.execute(
            "update accounts.accounts set password_hash = %s where id = %s",
            (await services.get(Hasher).hash(PASSWORD), account.id),
        )
        await tx.connection.execute("update accounts.sessions set created_at = created_at - interval '1 hour'")
    return account


def fields(page: str) -> dict[str, str]:
    """Return the hidden fields of a page's form."""
    form = page.split('<form class="form"', 1)[1].split("</form>", 1)[0]
    pairs = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form)
    return {unescape(name): unescape(value) for name, value in pairs}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/operator/accounts/{other}/disabling", {"why": "spam"}),
        ("POST", "/operator/accounts/{other}/roles", {"role": "admin"}),
        ("DELETE", "/operator/accounts/{other}/roles/member", None),
        ("POST", "/operator/accounts/{other}/second-factor-removal", None),
        ("POST", "/operator/packs", {"name": "x", "title": "X", "asset": "token", "quantity": 1, "price": 1, "currency": "USD"}),
        ("PATCH", "/operator/packs/tokens_50", {"price": 1}),
        ("PATCH", "/operator/plans/basic", {"monthly_tokens": 7}),
        ("PUT", "/operator/settings/wallet.welcome_tokens", {"value": 1000}),
        ("PUT", "/operator/settings/payments.confirm_refunds_above", {"value": 1000}),
    ],
)
async def test_9_17_a_dangerous_call_needs_a_confirmed_session(
    site: Site, make: Make, db: Database, admin: Account, method: str, path: str, body: Any
) -> None:
    other = await make.account()
    async with site.api(admin) as api:

        async def call() -> int:
            answer = await api.request(method, path.format(other=other.id), json=body)
            if answer.status_code == 403:
                assert answer.json()["type"] == "urn:vetrina:password-confirmation-required"
            return answer.status_code

        assert await call() == 403
        wrong = await api.post("/auth/confirmation", json={"password": "not the password"})
        assert (wrong.status_code, wrong.json()["type"]) == (403, "urn:vetrina:wrong-password")
        assert await call() == 403
        assert (await api.post("/auth/confirmation", json={"password": PASSWORD})).status_code == 204
        assert await call() != 403
        await rows(db, "update accounts.sessions set confirmed_at = now() - interval '601 seconds' returning 1")
        assert await call() == 403


async def test_9_17_a_harmless_setting_needs_none(site: Site, admin: Account) -> None:
    async with site.api(admin) as api:
        answer = await api.put("/operator/settings/studio.waiting_limit", json={"value": 100})
        assert answer.status_code == 200


async def test_9_17_the_page_keeps_the_form(site: Site, make: Make, db: Database, admin: Account) -> None:
    other = await make.account()
    path, why = f"/operator/accounts/{other.id}/disabling", 'Sells <stolen> pictures & says "no"'
    async with site.browser(admin) as browser:
        refused = await browser.post(path, data={"why": why})
        assert refused.status_code == 403 and "Confirm your password" in refused.text
        assert fields(refused.text) == {"why": why, "confirm_target": path}
        wrong = await browser.post("/confirmation", data={**fields(refused.text), "confirm_password": "wrong"})
        assert wrong.status_code == 403 and fields(wrong.text) == fields(refused.text)
        assert await scalar(db, "select is_active from accounts.accounts where id = %s", other.id) is True
        right = await browser.post("/confirmation", data={**fields(refused.text), "confirm_password": PASSWORD})
        assert right.status_code == 200 and fields(right.text) == {"why": why}
        assert f'action="{path}"' in right.text and PASSWORD not in right.text
        assert (await browser.post(path, data=fields(right.text))).status_code == 303
    assert await scalar(db, "select is_active from accounts.accounts where id = %s", other.id) is False
    audited = await rows(db, "select action from core.audit_logs where action in ('session_confirmed', 'account_disabled')")
    assert len(audited) == 2


async def test_9_17_the_page_sends_nothing_elsewhere(site: Site, admin: Account) -> None:
    async with site.browser(admin) as browser:
        data = {"confirm_target": "https://evil.example/", "confirm_password": PASSWORD}
        answer = await browser.post("/confirmation", data=data)
        assert answer.status_code == 200 and 'action="/account"' in answer.text


async def test_9_17_without_a_password_a_new_sign_in_confirms(site: Site, make: Make, db: Database, admin: Account) -> None:
    other = await make.account()
    await rows(db, "update accounts.accounts set password_hash = null where id = %s returning 1", admin.id)
    async with site.api(admin) as api:
        refused = await api.post("/auth/confirmation", json={})
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:vetrina:sign-in-again-to-confirm")
        await rows(db, "update accounts.sessions set created_at = now() where account_id = %s returning 1", admin.id)
        assert (await api.post(f"/operator/accounts/{other.id}/disabling", json={"why": "spam"})).status_code == 201


async def test_9_17_a_small_refund_needs_none(site: Site, make: Make, db: Database, admin: Account) -> None:
    account = await make.account()
    async with site.api(account) as api:
        payment = await start(api)
        await press(site.client, payment, "paid")
    path = f"/operator/payments/{account.id}/{payment['id']}/refunds"
    async with site.browser(admin) as browser:
        form = {"amount": "1", "id": str(new_id())}
        assert (await browser.post(path, data=form)).status_code == 403
        await rows(db, "update core.settings set value = '100000000' where key = 'payments.confirm_refunds_above' returning 1")
        assert (await browser.post(path, data=form)).status_code == 303
