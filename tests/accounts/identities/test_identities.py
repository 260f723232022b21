"""Linking identities, by the one who is signed in and nobody else, and taking them away, but not the last way in."""

from __future__ import annotations

from uuid import UUID

import httpx2
import pytest

from tests.accounts.identities.helpers import COOKIE, at_provider, begun, count, link, local, person, visitor, walk
from tests.factories import Account, Make, race
from tests.fakes.oidc import HostedUi
from tests.server import Site
from vetrina.accounts.notifications.actions import Notification
from vetrina.accounts.notifications.jobs import contacts
from vetrina.accounts.notifications.model import Recipient
from vetrina.core.database.ids import new_id
from vetrina.core.encryption import unseal
from vetrina.core.settings.environment import Settings


@pytest.fixture
def settings(at_cognito: Settings) -> Settings:
    """A site with a provider."""
    return at_cognito


async def known(site: Site, account: Account) -> list[dict[str, str]]:
    """The account's identities."""
    async with site.api(account) as api:
        return (await api.get("/identities")).json()["items"]


async def test_signed_in_account_links_an_identity(site: Site, hosted: HostedUi, make: Make) -> None:
    ada, eve = await make.account(email="ada@example.com"), await make.account()
    user = person(hosted, email="ada@example.com")
    async with site.browser(ada) as browser:
        assert "Link Cognito" in (await browser.get("/settings/identities")).text
        answer = await link(browser, user)
        assert answer.status_code == 303 and answer.headers["location"] == "/settings/identities", answer.text
        page = (await browser.get("/settings/identities")).text
        assert "Linked. You can sign in with it" in page and "Unlink" in page
        assert (await link(browser, user)).status_code == 303  # once more changes nothing
    assert [item["email"] for item in await known(site, ada)] == ["ada@example.com"]
    async with visitor(site) as other:
        assert (await walk(other, user)).status_code == 303
        assert "ada@example.com" in (await other.get("/account")).text
    assert await count(site, "accounts.accounts") == 2
    async with site.browser(eve) as browser:
        refused = await link(browser, user)
        assert refused.status_code == 409 and "linked to another account" in refused.text
    assert await known(site, eve) == []


async def test_linking_is_undone_from_a_confirmed_identifier(site: Site, hosted: HostedUi, make: Make) -> None:
    """9.A4: a new password alone would leave the identity of a thief linked."""
    ada = await make.account(email="ada@example.com")
    async with site.browser(ada) as browser:
        await link(browser, person(hosted, email="thief@example.com"))
        (notification,) = await notices(site)
        assert notification.notice == "identity_linked" and notification.account == ada.id
        undo = {"token": notification.undo}
        assert (await site.client.post("/api/v1/auth/identifiers/undo", json=undo)).status_code == 204
        assert (await browser.get("/settings/identities")).status_code == 303, "every session ends"
    assert await count(site, "accounts.identities") == 0
    assert (await site.client.post("/api/v1/auth/identifiers/undo", json=undo)).status_code == 410
    unconfirmed = Recipient(ada.id, None, "ada@example.com", None, email_verified=False, phone_verified=False, language=None)
    assert contacts(unconfirmed, confirmed_only=True) == [] and len(contacts(unconfirmed)) == 1


async def notices(site: Site) -> list[Notification]:
    async with site.services.db.read() as tx:
        jobs = await tx.connection.execute(
            "select args ->> 'told' from procrastinate_jobs where task_name = 'accounts.send_notice'"
        )
        return [unseal(site.services.keys, row[0], Notification) for row in await jobs.fetchall()]


async def test_link_is_bound_to_its_session(site: Site, hosted: HostedUi, make: Make) -> None:
    """Otherwise somebody could have their identity linked to another's account, and come in by it."""
    ada, eve = await make.account(), await make.account()
    user = person(hosted)
    async with site.browser(eve) as hers, site.browser(ada) as browser, visitor(site) as nobody:

        async def elsewhere(back: str) -> None:
            for other in (browser, nobody):
                other.cookies.set(COOKIE, hers.cookies[COOKIE], domain="127.0.0.1", path="/")
                response = await other.get(back)
                assert response.status_code == 400, response.text
            await hers.post("/sign-out")

        ended = await link(hers, user, elsewhere)
        assert ended.status_code == 400  # her session has ended meanwhile
    assert await count(site, "accounts.identities") == 0 and hosted.token_requests == 0
    async with site.browser(ada) as browser:  # what was begun to sign in links nothing
        back = await begun(browser, user)
        assert (await browser.get(back)).headers["location"] == "/studio"
    assert await count(site, f"accounts.identities where account_id = '{ada.id}'") == 0


async def test_linking_requires_a_form_of_this_site(site: Site, hosted: HostedUi, make: Make) -> None:
    ada = await make.account()
    async with site.browser(ada) as browser:
        foreign = await browser.post(
            "/settings/identities", data={"provider": "cognito"}, headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert foreign.status_code == 403 and "set-cookie" not in foreign.headers
        assert (await browser.post("/settings/identities", data={"provider": "elsewhere"})).status_code == 404
        hosted.away = True
        away = await browser.post("/settings/identities", data={"provider": "cognito"})
        assert away.status_code == 503 and "does not answer" in away.text


async def test_programs_link_too(site: Site, hosted: HostedUi, make: Make) -> None:
    ada, eve = await make.account(confirmed=False), await make.account()
    user = person(hosted)
    async with site.api(ada) as api, site.api(eve) as hers:
        body = {"provider": "cognito", "redirect_uri": "http://127.0.0.1:41999/done"}
        authorization = (await api.post("/identities/authorizations", json=body)).json()
        back = dict(httpx2.URL(await at_provider(authorization["authorization_url"], user)).params)
        sent = {"provider": "cognito", "transaction": authorization["transaction"], **back}
        assert (await hers.post("/identities", json=sent)).status_code == 400
        # neither does a link sign anybody in
        signing = {name: sent[name] for name in ("transaction", "code", "state")}
        assert (await site.client.post("/api/v1/auth/providers/cognito/session", json=signing)).status_code == 400
        response = await api.post("/identities", json=sent)
        assert response.status_code == 201 and response.json()["issuer"] == hosted.pool.issuer, response.text
        assert [response.json()] == await known(site, ada)
        assert (await hers.delete(f"/identities/{response.json()['id']}")).status_code == 404
        # Ada has no password and no confirmed address
        last = await api.delete(f"/identities/{response.json()['id']}")
        assert last.status_code == 409 and last.json()["type"] == "urn:vetrina:last-login-method"


async def two_identities(site: Site, account: Account) -> list[UUID]:
    """Two identities, written past the provider."""
    ids = [new_id(), new_id()]
    async with site.services.db.tx() as tx:
        for item in ids:
            await tx.connection.execute(
                """insert into accounts.identities (issuer, subject, account_id, id, provider)
                   values ('https://id.example', %s, %s, %s, 'cognito')""",
                [str(item), account.id, item],
            )
    return ids


async def test_the_last_way_in_stays(site: Site, make: Make) -> None:
    for way in (
        "password_hash = 'x'",
        "email_verified_at = now()",
        "phone = '+989123456789', phone_verified_at = now()",
        "phone = '+989123456780', email = null, password_hash = 'x'",
    ):
        account = await make.account(confirmed=False)
        one, other = await two_identities(site, account)
        async with site.browser(account) as browser:
            assert (await browser.post(f"/settings/identities/{one}/unlinking")).status_code == 303
            last = await browser.post(f"/settings/identities/{other}/unlinking")
            assert last.status_code == 409 and "only way to sign in to your account" in last.text
            async with site.services.db.tx() as tx:
                await tx.connection.execute("select set_config('accounts.proven', %s, true)", [str(account.id)])
                await tx.connection.execute(f"update accounts.accounts set {way} where id = %s".encode(), [account.id])
            assert (await browser.post(f"/settings/identities/{other}/unlinking")).status_code == 303, way
            assert "no longer linked" in (await browser.get("/settings/identities")).text


async def test_of_two_unlinkings_at_once_one_is_refused(site: Site, make: Make) -> None:
    for _ in range(5):
        account = await make.account(confirmed=False)
        left = iter(await two_identities(site, account))
        async with site.api(account) as api:
            answers = await race(2, lambda: api.delete(f"/identities/{next(left)}"))
        assert sorted(answer.status_code for answer in answers) == [204, 409]  # type: ignore[union-attr]
        assert len(await known(site, account)) == 1


async def test_account_requires_an_identifier(site: Site, make: Make) -> None:
    """The database's own rule, at the end of the transaction: an address, a phone or an identity."""
    account = await make.account()
    async with site.services.db.tx() as tx:  # an erased account needs none
        await two_identities(site, await make.account())
        await tx.connection.execute("update accounts.accounts set email = null, erased_at = now() where id = %s", [account.id])
    bare = await make.account()
    with pytest.raises(Exception, match=r"account_has_an_identifier|Give either"):
        async with site.services.db.tx() as tx:
            await tx.connection.execute("update accounts.accounts set email = null where id = %s", [bare.id])


async def test_without_a_provider_nothing_is_offered(site: Site, make: Make, settings: Settings) -> None:
    services = site.services
    services.settings = settings.__class__(data=settings.data)
    services._provided.clear()  # pyright: ignore[reportPrivateUsage]
    assert (await site.client.get("/api/v1/auth/providers")).json()["items"] == []
    assert (await site.client.get("/auth/providers/cognito")).status_code == 404
    assert "way=provider" not in (await site.client.get("/sign-in")).text
    async with site.browser(await make.account()) as browser:
        assert "No provider is set up here" in (await browser.get("/settings/identities")).text


async def test_sign_in_pages_offer_the_provider(site: Site, hosted: HostedUi) -> None:
    assert "way=provider" in (await site.client.get("/sign-in")).text
    page = (await site.client.get("/sign-in?way=provider&kind=vendor&next=/wallet")).text
    assert "/auth/providers/cognito?kind=vendor&amp;next=/wallet" in page or "/auth/providers/cognito?kind=vendor&next=" in page
    assert "Continue with Cognito" in page
    assert local("http://x.example/a?b=c") == "/a?b=c"
