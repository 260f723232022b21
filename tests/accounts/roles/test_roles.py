"""Roles: who may do what belongs to the house, and how one comes to them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import Account, Make, race
from tests.server import Site
from vetrina.accounts.operator import actions as operators
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles import guards
from vetrina.accounts.roles.actions import LastSuperuser, Role
from vetrina.core.database.ids import new_id
from vetrina.core.errors import NotFound
from vetrina.modules import MODULES


async def appoint(make: Make, *given: Role, **options: Any) -> Account:
    """An account with these roles."""
    account = await make.account(**options)
    async with make.services.db.tx() as tx:
        for role in given:
            assert await roles.grant(tx, account.id, role)
    return account


async def has(site: Site, account: Account) -> list[str]:
    async with site.services.db.read() as tx:
        return (await operators.get_account(tx, account.id)).roles


async def test_several_roles_to_one_account_each_once(site: Site, make: Make) -> None:
    account = await appoint(make, Role.ADMIN, Role.MEMBER, Role.USER)
    async with site.services.db.tx() as tx:
        assert not await roles.grant(tx, account.id, Role.ADMIN)
        assert await roles.revoke(tx, account.id, Role.USER)
        assert not await roles.revoke(tx, account.id, Role.USER)
    assert await has(site, account) == ["admin", "member"]


async def test_operators_pages_and_calls_by_role(site: Site, make: Make) -> None:
    nobody = await site.client.get("/operator")
    assert nobody.status_code == 303 and nobody.headers["location"] == "/sign-in?next=%2Foperator"
    assert (await site.client.get("/api/v1/operator/accounts")).status_code == 401
    neither, both = (403, 404), (200, 200)
    for given, (page, call) in (
        ((), neither),
        ((Role.USER, Role.MEMBER), neither),
        ((Role.ADMIN,), both),
        ((Role.SUPERUSER,), both),
    ):
        account = await appoint(make, *given)
        async with site.browser(account) as browser, site.api(account) as api:
            assert (await browser.get("/operator")).status_code == page, given
            assert (await browser.get("/operator/accounts")).status_code == page, given
            assert (await api.get("/operator/accounts")).status_code == call, given
            assert ('href="/operator"' in (await browser.get("/wallet")).text) is (page == 200), given


async def test_only_superusers_change_roles(site: Site, make: Make) -> None:
    somebody = await make.account()
    admin, superuser = await appoint(make, Role.ADMIN), await appoint(make, Role.SUPERUSER)
    path = f"/operator/accounts/{somebody.id}/roles"
    async with site.api(admin) as api, site.browser(admin) as browser:
        assert (await api.post(path, json={"role": "admin"})).status_code == 404
        assert (await api.delete(f"/operator/accounts/{admin.id}/roles/admin")).status_code == 404
        assert (await browser.post(path, data={"grant": "admin"})).status_code == 403
    async with site.api(superuser) as api, site.browser(superuser) as browser:
        assert (await api.post(path, json={"role": "admin"})).json()["roles"] == ["admin"]
        assert (await api.post(path, json={"role": "admin"})).json()["roles"] == ["admin"]
        assert (await api.post(path, json={"role": "emperor"})).status_code == 422
        assert (await api.delete(f"{path}/admin")).status_code == 204
        assert (await api.delete(f"{path}/admin")).status_code == 204
        assert (await api.post(f"/operator/accounts/{new_id()}/roles", json={"role": "user"})).status_code == 404
        assert (await browser.post(path, data={"grant": "member"})).status_code == 303
        assert await has(site, somebody) == ["member"]
        assert (await browser.post(path, data={"revoke": "member"})).status_code == 303
        assert (await browser.post(path, data={"grant": "emperor"})).status_code == 422
    assert await has(site, somebody) == []


async def test_a_role_that_was_taken_away_is_gone_at_once(site: Site, make: Make) -> None:
    account = await appoint(make, Role.ADMIN)
    async with site.api(account) as api, site.browser(account) as browser:
        assert (await api.get("/operator/accounts")).status_code == 200
        async with site.services.db.tx() as tx:
            await roles.revoke(tx, account.id, Role.ADMIN)
        assert (await api.get("/operator/accounts")).status_code == 404
        assert (await browser.get("/operator/accounts")).status_code == 403


async def test_an_operators_ended_session_operates_no_more(site: Site, make: Make) -> None:
    account = await appoint(make, Role.ADMIN)
    async with site.api(account) as api:
        assert (await api.delete("/auth/session")).status_code == 204
        assert (await api.get("/operator/accounts")).status_code == 401


async def test_one_superuser_always_stays(site: Site, make: Make) -> None:
    pair = [await appoint(make, Role.SUPERUSER) for _ in range(2)]
    turn = iter(range(16))

    async def take() -> bool:
        async with site.services.db.tx() as tx:
            return await roles.revoke(tx, pair[next(turn) % 2].id, Role.SUPERUSER)

    outcomes = await race(16, take)
    assert outcomes.count(True) == 1 and any(isinstance(outcome, LastSuperuser) for outcome in outcomes)
    assert sorted(await has(site, pair[0]) + await has(site, pair[1])) == ["superuser"]


async def test_a_role_needs_an_account(site: Site) -> None:
    with pytest.raises(NotFound):
        async with site.services.db.tx() as tx:
            await operators.grant_role(tx, new_id(), Role.USER)


def test_every_operators_route_is_guarded() -> None:
    """Whoever adds a route below /operator gives it one of the guards."""
    handlers = [route for module in MODULES for route in (*module.api_routes(), *module.page_routes())]
    others = [handler for handler in handlers if any(path.startswith("/operator") for path in handler.paths)]
    assert len(others) > 10
    assert [str(item) for item in others if not {guards.operator, guards.superuser} & set(item.guards or ())] == []
