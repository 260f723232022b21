"""The doors' pages, as a person without scripts uses them."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

import httpx2
from pyotp.totp import TOTP

from tests.accounts.auth_helpers import code_to, letters, registered, wrong
from tests.accounts.second_factor.test_second_factor import Authenticator
from tests.factories import PASSWORD
from tests.server import Site

NEW = "another long enough one"
PHONE = "+989123456789"


def visitor(site: Site) -> httpx2.AsyncClient:
    """A browser that nobody is signed in with."""
    return httpx2.AsyncClient(base_url=site.url, timeout=30)


def place(answer: httpx2.Response) -> str:
    """Where a form leads."""
    assert answer.status_code == 303, answer.text[:2000]
    return answer.headers["location"]


async def test_the_tabs_keep_kind_way_and_where_one_was_going(posting: Site) -> None:
    page = (await posting.client.get("/sign-in?kind=vendor&way=phone&next=/wallet")).text
    assert 'name="kind" value="vendor"' in page and 'name="way" value="phone"' in page and 'name="next" value="/wallet"' in page
    assert 'autocomplete="tel"' in page and 'name="email"' not in page and "Send me a code" in page
    assert "/sign-up?next=/wallet&amp;kind=vendor&amp;way=phone" in page.replace("%2F", "/")
    assert "/auth/providers/" not in page  # none is set up
    odd = (await posting.client.get("/sign-in?kind=%3Cb%3E&way=pigeon&next=//evil.example")).text
    assert 'name="kind" value="user"' in odd and 'name="way" value="email"' in odd
    assert 'name="next" value=""' in odd and 'href="//' not in odd and "next=//" not in odd.split("<main")[1].split("</main")[0]


async def test_signing_up_and_in_by_phone(posting: Site) -> None:
    kind = "vendor"
    form = {"kind": kind, "way": "phone", "phone": "+98 912 345 67 89", "next": "/wallet"}
    async with visitor(posting) as browser:
        response = await browser.post("/sign-up", data={**form, "name": "Ada", "password": PASSWORD})
        assert place(response) == "/verify" and PHONE not in response.headers["set-cookie"]
        page = await browser.get("/verify")
        assert PHONE in page.text and 'autocomplete="one-time-code"' in page.text and 'inputmode="numeric"' in page.text
        assert 'href="/wallet"' in page.text  # later
        code = await code_to(posting, PHONE)
        refused = await browser.post("/verify", data={"code": wrong(code)})
        assert refused.status_code == 422 and 'id="code-error"' in refused.text
        assert place(await browser.post("/verify", data={"code": f"{code[:3]} {code[3:]}"})) == "/wallet"
        assert f"{PHONE} is confirmed." in (await browser.get("/account")).text
        assert place(await browser.get("/verify")) == "/settings/security"
    async with visitor(posting) as browser:
        assert place(await browser.post("/sign-in/code", data=form)) == "/verify"
        code = await code_to(posting, PHONE, 2)
        assert place(await browser.post("/verify", data={"code": code})) == "/wallet"
        assert "Ada" in (await browser.get("/account")).text
    async with visitor(posting) as browser:
        assert place(await browser.post("/sign-in", data={**form, "password": PASSWORD})) == "/wallet"
    async with visitor(posting) as browser:
        # on the other tab: the account that there is
        assert place(await browser.post("/sign-in", data={**form, "password": PASSWORD, "kind": "user"})) == "/wallet"
    async with visitor(posting) as browser:
        bad = await browser.post("/sign-in/code", data={**form, "phone": "0912"})
        assert bad.status_code == 422 and 'id="phone-error"' in bad.text and 'value="0912"' in bad.text


async def test_another_code_is_sent_and_too_many_are_not(posting: Site) -> None:
    async with visitor(posting) as browser:
        await browser.post("/reset", data={"email": "nobody@example.com"})
        for _ in range(4):
            answer = await browser.post("/verify/again")
            assert place(answer) == "/reset/code"
        assert "Another code has been sent" in (await browser.get("/reset/code")).text
        closed = await browser.post("/verify/again")
        assert closed.status_code == 429 and "Too many requests" in closed.text and int(closed.headers["retry-after"]) > 1


async def test_a_password_is_reset_by_code_or_link(posting: Site) -> None:
    kind = "user"
    await registered(posting, email="ada@example.com", kind=kind)
    await letters(posting, "ada@example.com")
    async with visitor(posting) as browser:
        response = await browser.post("/reset", data={"kind": kind, "way": "email", "email": "Ada@example.com"})
        assert place(response) == "/reset/code"
        page = (await browser.get("/reset/code")).text
        assert "If there is an account with it" in page and 'autocomplete="new-password"' in page
        code = await code_to(posting, "ada@example.com", 2)
        weak = await browser.post("/reset/code", data={"code": code, "password": "short"})
        assert weak.status_code == 422 and 'id="password-error"' in weak.text and f'value="{code}"' in weak.text
        done = await browser.post("/reset/code", data={"code": code, "password": NEW})
        assert place(done) == f"/sign-in?kind={kind}"
        assert "Your password is changed" in (await browser.get(f"/sign-in?kind={kind}")).text
        form = {"kind": kind, "way": "email", "email": "ada@example.com"}
        assert (await browser.post("/sign-in", data={**form, "password": PASSWORD})).status_code == 401
        assert place(await browser.post("/sign-in", data={**form, "password": NEW})) == "/studio"
    await posting.client.post("/reset", data={"kind": kind, "email": "ada@example.com"})
    letter = (await letters(posting, "ada@example.com", 4))[0]
    path = urlsplit(re.search(r"http\S+", letter["text"]).group()).path  # type: ignore[union-attr]
    page = await posting.client.get(path)
    assert page.status_code == 200 and 'name="password"' in page.text
    token = path.rpartition("/")[2]
    weak = await posting.client.post("/reset/link", data={"token": token, "password": "short"})
    assert weak.status_code == 422 and token in weak.text
    assert place(await posting.client.post("/reset/link", data={"token": token, "password": PASSWORD})) == f"/sign-in?kind={kind}"
    assert (await posting.client.post("/reset/link", data={"token": token, "password": PASSWORD})).status_code == 422
    # a link that confirms does not reset
    await posting.client.post("/verify/link", data={"token": token})
    assert (await posting.client.post("/verify/link", data={"token": token})).status_code == 422


async def test_page_is_the_same_for_unknown_addresses(posting: Site) -> None:
    await registered(posting, email="known@example.com")
    displayed: list[str] = []
    for email in ("known@example.com", "other@example.com"):
        async with visitor(posting) as browser:
            assert place(await browser.post("/reset", data={"email": email})) == "/reset/code"
            page = (await browser.get("/reset/code")).text
            tried = (await browser.post("/reset/code", data={"code": "1", "password": NEW})).text
            moments = re.compile(r'data-until="[^"]+"|Good until [^<]+')
            displayed.append(moments.sub("", page + tried).replace(email, "").replace(quote(email, safe=""), ""))
    assert displayed[0] == displayed[1]


async def test_the_second_factor_from_the_page(posting: Site) -> None:
    async with visitor(posting) as browser:
        form = {"email": "ada@example.com", "password": PASSWORD}
        assert place(await browser.post("/sign-up", data=form)) == "/verify"
        page = (await browser.get("/settings/security")).text
        assert "Not confirmed" in page and "Set up an authenticator" in page
        refused = await browser.post("/settings/security/second-factor", data={"password": "wrong"})
        assert refused.status_code == 403 and "This is not your password." in refused.text
        response = await browser.post("/settings/security/second-factor", data={"password": PASSWORD})
        page = (await browser.get(place(response))).text
        assert 'src="data:image/svg+xml;base64,' in page and "otpauth://totp/" in page
        secret = "".join(re.findall(r"<span>([A-Z2-7]{4})</span>", page))
        there = Authenticator(secret)
        bad = await browser.post("/settings/security/second-factor/confirmation", data={"code": there.wrong()})
        assert bad.status_code == 422 and 'id="code-error"' in bad.text and secret[:4] in bad.text
        done = await browser.post("/settings/security/second-factor/confirmation", data={"code": there.next()})
        recovery = re.findall(r"<code>([a-z2-9]{5}-[a-z2-9]{5})</code>", done.text)
        assert len(recovery) == 10 and done.headers["cache-control"] == "no-store"
        assert "10 recovery codes are left" in (await browser.get("/settings/security")).text
        await browser.post("/sign-out")
        first = await browser.post("/sign-in", data={**form, "next": "/wallet"})
        assert place(first) == "/sign-in/second-factor" and "session" not in first.headers["set-cookie"]
        assert (await browser.get("/wallet")).status_code == 303  # not in yet
        page = await browser.post("/sign-in/second-factor", data={"code": there.wrong()})
        assert page.status_code == 422 and "not right" in page.text
        assert place(await browser.post("/sign-in/second-factor", data={"code": there.next()})) == "/wallet"
        renewed = await browser.post("/settings/security/recovery-codes", data={"password": PASSWORD, "code": recovery[0]})
        assert len(set(re.findall(r"<code>([a-z2-9]{5}-[a-z2-9]{5})</code>", renewed.text)) - set(recovery)) == 10
        off = await browser.post("/settings/security/second-factor/removal", data={"password": "wrong"})
        assert off.status_code == 403 and '<details class="plate" open>' in off.text
        alone = await browser.post("/settings/security/second-factor/removal", data={"password": PASSWORD})
        assert alone.status_code == 422 and 'id="code-remove-error"' in alone.text
        new_codes = re.findall(r"<code>([a-z2-9]{5}-[a-z2-9]{5})</code>", renewed.text)
        both = {"password": PASSWORD, "code": new_codes[0]}
        assert place(await browser.post("/settings/security/second-factor/removal", data=both))
        assert "The second factor is off." in (await browser.get("/settings/security")).text
        assert TOTP(secret).interval == 30


async def test_signing_up_by_mail_asks_for_the_code_and_can_go_on_without(posting: Site) -> None:
    async with visitor(posting) as browser:
        form = {"email": "ada@example.com", "password": PASSWORD, "next": "/wallet"}
        assert place(await browser.post("/sign-up", data=form)) == "/verify"
        page = (await browser.get("/verify")).text
        assert "ada@example.com" in page and 'autocomplete="one-time-code"' in page and 'href="/wallet"' in page
        assert 'href="/outbox?to=ada%40example.com"' in page, "a development site's letters are in its outbox"
        assert "ada@example.com" in (await browser.get("/outbox?to=ada%40example.com")).text
        assert (await browser.get("/wallet")).status_code == 200
        code = await code_to(posting, "ada@example.com")
        assert place(await browser.post("/verify", data={"code": code})) == "/wallet"
        assert "Not confirmed" not in (await browser.get("/settings/security")).text


async def test_only_a_development_site_names_an_outbox(site: Site) -> None:
    async with visitor(site) as browser:
        await browser.post("/sign-up", data={"email": "ada@example.com", "password": PASSWORD})
        for path in ("/", "/reset", "/settings/security"):
            assert "outbox" not in (await browser.get(path)).text


async def test_an_address_is_confirmed_from_the_security_page(posting: Site) -> None:
    async with visitor(posting) as browser:
        await browser.post("/sign-up", data={"email": "ada@example.com", "password": PASSWORD})
        response = await browser.post("/settings/security/confirmation", data={"channel": "email"})
        assert place(response) == "/verify"
        code = await code_to(posting, "ada@example.com", 2)
        assert place(await browser.post("/verify", data={"code": code})) == "/settings/security"
        assert "Not confirmed" not in (await browser.get("/settings/security")).text
        assert (await browser.post("/settings/security/confirmation", data={"channel": "phone"})).status_code == 404


async def test_forms_out_of_place_lead_back(posting: Site) -> None:
    async with visitor(posting) as browser:
        for path, home in (("/verify", "/sign-in"), ("/reset/code", "/reset"), ("/sign-in/second-factor", "/sign-in")):
            assert place(await browser.get(path)) == home
            assert place(await browser.post(path, data={"code": "123456"})) == home
        assert place(await browser.post("/verify/again")) == "/sign-in"
        browser.cookies.set("vetrina_pending", "nonsense")
        assert place(await browser.get("/verify")) == "/sign-in"
        for path in ("/settings/security", "/settings/security/second-factor"):
            assert place(await browser.get(path)).startswith("/sign-in?next=")
