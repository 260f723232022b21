"""Signing in through Cognito: the whole way, and what must not be let in."""

from __future__ import annotations

import httpx2
import pytest

from tests.accounts.identities.helpers import COOKIE, at_provider, begun, count, local, person, visitor, walk
from tests.factories import Make, race
from tests.fakes.cognito import PASSWORD
from tests.fakes.oidc import HostedUi
from tests.server import Site
from vetrina.accounts.identities import jobs
from vetrina.core.settings.environment import Settings

LOOPBACK = "http://127.0.0.1:41999/done"


@pytest.fixture
def settings(at_cognito: Settings) -> Settings:
    """A site with a provider."""
    return at_cognito


async def test_the_whole_way(site: Site, hosted: HostedUi, browser: httpx2.AsyncClient) -> None:
    ada = person(hosted)
    back = await begun(browser, ada, query="?next=/wallet")
    first = await browser.get(back)
    assert first.status_code == 303 and first.headers["location"] == "/wallet", first.text
    cookies = first.headers.get_list("set-cookie")
    assert any(cookie.startswith("vetrina_session=") and "HttpOnly" in cookie for cookie in cookies)
    assert any(cookie.startswith(f"{COOKIE}=") and "Max-Age=0" in cookie for cookie in cookies)  # what was begun is over
    page = (await browser.get("/settings/identities")).text
    assert "Cognito" in page and f"{ada}@example.com" in page
    async with site.services.db.read() as tx:
        rows = await (
            await tx.connection.execute(
                """select a.email, a.email_verified_at is not null, u.name, i.issuer, length(i.subject) from accounts.identities i
                     join accounts.accounts a on a.id = i.account_id join accounts.users u on u.account_id = a.id"""
            )
        ).fetchall()
    assert rows == [(f"{ada}@example.com", True, "Ada", hosted.pool.issuer, 36)]
    async with visitor(site) as other:  # another day, another browser
        assert (await walk(other, ada)).headers["location"] == "/studio"
        assert f"{ada}@example.com" in (await other.get("/settings/identities")).text
    assert await count(site, "accounts.accounts") == 1 and await count(site, "accounts.sessions") == 2


async def test_vendors_sign_in_separately(site: Site, hosted: HostedUi, browser: httpx2.AsyncClient) -> None:
    shop = person(hosted, name="The Print Shop")
    assert (await walk(browser, shop, query="?kind=vendor")).status_code == 303
    async with visitor(site) as other:
        refused = await walk(other, shop)
        assert refused.status_code == 409 and "account of the other kind" in refused.text
        assert (await walk(other, shop, query="?kind=vendor")).status_code == 303
    async with site.services.db.read() as tx:
        rows = await (await tx.connection.execute("select business_name from accounts.vendors")).fetchall()
    assert rows == [("The Print Shop",)]
    async with visitor(site) as other:
        assert (await other.get("/auth/providers/cognito?kind=admin")).status_code == 422


async def test_the_e_mail_address_is_never_matched(site: Site, hosted: HostedUi, make: Make) -> None:
    taken = await make.account(email="ada@example.com")
    async with visitor(site) as browser:
        refused = await walk(browser, person(hosted, email="Ada@example.com"))
        assert refused.status_code == 409 and "link the provider in its settings" in refused.text
        # an address that the provider does not vouch for is not even looked at
        assert (await walk(browser, person(hosted, email="ada@example.com", email_verified="false"))).status_code == 303
    async with site.services.db.read() as tx:
        rows = await (await tx.connection.execute("select account_id, email from accounts.identities")).fetchall()
        mail = await (await tx.connection.execute("select email from accounts.accounts order by created_at")).fetchall()
    assert len(rows) == 1 and rows[0][0] != taken.id and rows[0][1] is None
    assert mail == [("ada@example.com",), (None,)]


async def test_an_answer_comes_in_once(site: Site, hosted: HostedUi, browser: httpx2.AsyncClient) -> None:
    """Also at a provider that takes a code twice: then the nonce is the same, and it is spent."""
    hosted.used_twice = True
    back = await begun(browser, person(hosted))
    sealed = browser.cookies[COOKIE]
    assert (await browser.get(back)).status_code == 303
    async with visitor(site) as thief:
        thief.cookies.set(COOKIE, sealed, domain="127.0.0.1", path="/")
        again = await thief.get(back)
        assert again.status_code == 400 and "is finished" in again.text
    assert hosted.token_requests == 2 and await count(site, "accounts.sessions") == 1


async def test_of_many_answers_at_once_one_comes_in(site: Site, hosted: HostedUi, browser: httpx2.AsyncClient) -> None:
    hosted.used_twice = True
    back = await begun(browser, person(hosted))
    headers = {"Cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}
    answers = await race(16, lambda: site.client.get(back, headers=headers))
    assert sorted(answer.status_code for answer in answers) == [303] + [400] * 15  # type: ignore[union-attr]
    assert await count(site, "accounts.sessions") == await count(site, "accounts.accounts") == 1


async def test_two_first_sign_ins_at_once_make_one_account(site: Site, hosted: HostedUi) -> None:
    ada = person(hosted)
    ways: list[tuple[str, str]] = []
    for _ in range(4):
        async with visitor(site) as browser:
            ways.append((await begun(browser, ada), browser.cookies[COOKIE]))
    left = iter(ways)

    async def come() -> httpx2.Response:
        back, sealed = next(left)
        return await site.client.get(back, headers={"Cookie": f"{COOKIE}={sealed}"})

    answers = await race(4, come)
    assert [answer.status_code for answer in answers] == [303] * 4  # type: ignore[union-attr]
    assert await count(site, "accounts.accounts") == 1 and await count(site, "accounts.sessions") == 4


async def test_callback_from_another_browser_is_rejected(site: Site, hosted: HostedUi, browser: httpx2.AsyncClient) -> None:
    ada = person(hosted)
    back = await begun(browser, ada)
    async with visitor(site) as other:
        for cookie in (None, "x", browser.cookies[COOKIE][:-3] + "abc"):
            if cookie:
                other.cookies.set(COOKIE, cookie, domain="127.0.0.1", path="/")
            response = await other.get(back)
            assert response.status_code == 400 and "start again" in response.text
        # a sign-in of the other's own, with the answer that belongs to this one
        await begun(other, ada)
        assert (await other.get(back)).status_code == 400
    assert hosted.token_requests == 0
    assert (await browser.get(f"/auth/providers/elsewhere/callback{back[back.index('?') :]}")).status_code == 404
    assert (await browser.get("/auth/providers/cognito/callback")).status_code == 400


async def test_pending_sign_in_expires_after_ten_minutes(
    site: Site, hosted: HostedUi, browser: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = await begun(browser, person(hosted))
    monkeypatch.setattr("vetrina.accounts.identities.providers.MINUTES", -1)
    assert (await browser.get(back)).status_code == 400
    assert hosted.token_requests == 0


async def test_provider_errors_are_reported(site: Site, hosted: HostedUi, browser: httpx2.AsyncClient) -> None:
    ada = person(hosted)
    denied = await walk(browser, ada, password="not the password")
    assert denied.status_code == 401 and hosted.token_requests == 0
    back = await begun(browser, ada)
    code = back.partition("code=")[2].partition("&")[0]
    assert (await browser.get(back.replace(code, "another"))).status_code == 401
    hosted.issuer_told = "https://evil.example"  # another provider's answer, sent on to us (RFC 9207)
    assert (await walk(browser, ada)).status_code == 401
    hosted.issuer_told = hosted.pool.issuer
    assert (await walk(browser, ada)).status_code == 303


async def test_a_provider_that_is_away(site: Site, hosted: HostedUi, browser: httpx2.AsyncClient) -> None:
    ada = person(hosted)
    hosted.away = True
    answer = await browser.get("/auth/providers/cognito")
    assert answer.status_code == 503 and "identity provider does not answer" in answer.text
    hosted.away = False
    back = await begun(browser, ada)
    hosted.away = True
    assert (await browser.get(back)).status_code == 503
    hosted.away = False
    assert (await walk(browser, ada)).status_code == 303


async def test_a_disabled_account_stays_out(site: Site, hosted: HostedUi, browser: httpx2.AsyncClient) -> None:
    ada = person(hosted)
    await walk(browser, ada)
    async with site.services.db.tx() as tx:
        await tx.connection.execute("update accounts.accounts set is_active = false")
    async with visitor(site) as other:
        answer = await walk(other, ada)
    assert answer.status_code == 403 and "disabled" in answer.text


async def test_programs_go_the_same_way(site: Site, hosted: HostedUi) -> None:
    ada = person(hosted)
    api = f"{site.url}/api/v1"
    offered = (await site.client.get(f"{api}/auth/providers")).json()["items"]
    assert offered == [{"name": "cognito", "title": "Cognito", "url": "/auth/providers/cognito"}]
    elsewhere = ("https://evil.example/", "http://127.0.0.1.example:80/", "http://127.0.0.1/", "http://host@127.0.0.1:1/", "x")
    for address in elsewhere:
        wrong = await site.client.post(f"{api}/auth/providers/cognito/authorizations", json={"redirect_uri": address})
        assert wrong.status_code == 422 and wrong.json()["type"] == "urn:vetrina:invalid-return-address", address
    authorization = (
        await site.client.post(f"{api}/auth/providers/cognito/authorizations", json={"redirect_uri": LOOPBACK})
    ).json()
    assert authorization["expires_in"] == 600
    back = await at_provider(authorization["authorization_url"], ada)
    assert back.startswith(LOOPBACK)
    answer = dict(httpx2.URL(back).params)
    sent = {"transaction": authorization["transaction"], **answer}
    for wrong in ({"state": "another"}, {"transaction": "x"}):
        refusal = await site.client.post(f"{api}/auth/providers/cognito/session", json={**sent, **wrong})
        assert refusal.status_code == 400 and refusal.json()["type"] == "urn:vetrina:sign-in-expired"
    response = await site.client.post(f"{api}/auth/providers/cognito/session", json=sent)
    assert response.status_code == 201, response.text
    assert response.json()["account"]["email"] == f"{ada}@example.com"
    me = await site.client.get(f"{api}/me", headers={"Authorization": f"Bearer {response.json()['access_token']}"})
    assert me.status_code == 200
    assert (await site.client.post(f"{api}/auth/providers/cognito/session", json=sent)).status_code == 401  # the code is spent


async def test_spent_nonces_are_forgotten_in_time(site: Site, hosted: HostedUi, browser: httpx2.AsyncClient) -> None:
    await walk(browser, person(hosted))
    await jobs.delete_spent_nonces(site.services)
    assert await count(site, "accounts.spent_nonces") == 1
    async with site.services.db.tx() as tx:
        await tx.connection.execute("update accounts.spent_nonces set expires_at = now() - interval '1 second'")
    await jobs.delete_spent_nonces(site.services)
    assert await count(site, "accounts.spent_nonces") == 0


async def test_authorization_request_contains_only_required_parameters(
    site: Site, hosted: HostedUi, browser: httpx2.AsyncClient, settings: Settings
) -> None:
    start = await browser.get("/auth/providers/cognito?next=//evil.example")
    url = httpx2.URL(start.headers["location"])
    query = dict(url.params)
    assert str(url).startswith(f"{hosted.url}/oauth2/authorize?")
    assert query["redirect_uri"] == f"{site.url}/auth/providers/cognito/callback"
    assert query["scope"] == "openid email profile" and query["code_challenge_method"] == "S256"
    assert len({query["state"], query["nonce"], query["code_challenge"]}) == 3
    cookie = start.headers["set-cookie"]
    assert "HttpOnly" in cookie and "samesite=lax" in cookie.lower() and query["nonce"] not in cookie
    assert await count(site, "accounts.spent_nonces") == 0  # nothing is written for who only looks
    again = dict(httpx2.URL((await browser.get("/auth/providers/cognito")).headers["location"]).params)
    assert not {query["state"], query["nonce"], query["code_challenge"]} & set(again.values())
    back = local(await at_provider(str(httpx2.URL(start.headers["location"])), person(hosted), PASSWORD))
    assert (await browser.get(back)).status_code == 400  # the second one is under way in this browser
