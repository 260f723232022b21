"""Reset and sign-in by code on the tab of the other kind of account, and for an identifier with two accounts."""

from __future__ import annotations

import re
from urllib.parse import urlsplit
from uuid import UUID

import httpx2
import pytest

from tests.accounts.auth_helpers import code_to, letters, registered, settled, wrong
from tests.accounts.identities.helpers import visitor
from tests.factories import PASSWORD
from tests.server import Site
from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.model import Kind
from vetrina.accounts.verification import actions as verification

EMAIL, PHONE, NEW = "ada@example.com", "+989123456789", "another long enough one"


def place(answer: httpx2.Response) -> str:
    """Return where a redirect goes to."""
    assert answer.status_code == 303, answer.text[:800]
    return answer.headers["location"]


async def account(site: Site, kind: Kind, to: Identifier, *, confirmed: bool = True, nth: int = 1) -> None:
    """Register with the identifier, whose `nth` letter comes by that, and confirm it."""
    body = await registered(site, kind=kind, **{to.channel: to.value})
    await letters(site, to.value, nth)
    if confirmed:
        async with site.services.db.tx() as tx:
            await verification.confirm_identifier(tx, to, kind=kind, account=UUID(body["account"]["id"]))


async def works(site: Site, kind: Kind, to: Identifier, password: str) -> bool:
    """Return whether the account's password is this one."""
    body = {"kind": kind, to.channel: to.value, "password": password}
    return (await site.client.post("/api/v1/auth/session", json=body)).status_code == 201


@pytest.mark.parametrize(("kind", "tab"), [("user", "vendor"), ("vendor", "user")])
async def test_a_password_is_reset_on_the_other_tab(posting: Site, kind: Kind, tab: Kind) -> None:
    to = Identifier("email", EMAIL)
    await account(posting, kind, to, confirmed=False)
    async with visitor(posting) as browser:
        await browser.post("/reset", data={"kind": tab, "way": "email", "email": EMAIL})
        code = await code_to(posting, EMAIL, 2)
        done = await browser.post("/reset/code", data={"code": code, "password": NEW})
        assert place(done) == f"/sign-in?kind={kind}"
    assert await works(posting, kind, to, NEW)
    await posting.client.post("/reset", data={"kind": tab, "way": "email", "email": EMAIL})
    letter = (await letters(posting, EMAIL, 4))[0]["text"]
    token = urlsplit(re.findall(r"http\S+", letter)[0]).path.rpartition("/")[2]
    by_link = await posting.client.post("/reset/link", data={"token": token, "password": PASSWORD})
    assert place(by_link) == f"/sign-in?kind={kind}"
    assert await works(posting, kind, to, PASSWORD)


async def test_a_code_signs_in_on_the_other_tab(posting: Site) -> None:
    await account(posting, "vendor", Identifier("phone", PHONE))
    async with visitor(posting) as browser:
        form = {"kind": "user", "way": "phone", "phone": PHONE}
        assert place(await browser.post("/sign-in/code", data=form)) == "/verify"
        code = await code_to(posting, PHONE, 2)
        assert place(await browser.post("/verify", data={"code": code})) == "/studio"
        assert (await browser.get("/settings/security")).status_code == 200


@pytest.mark.parametrize("chosen", ["user", "vendor"])
async def test_a_reset_of_two_accounts_asks_which_and_changes_that_one_alone(posting: Site, chosen: Kind) -> None:
    to = Identifier("email", EMAIL)
    await account(posting, "user", to)
    await account(posting, "vendor", to, nth=2)
    other: Kind = "vendor" if chosen == "user" else "user"
    async with visitor(posting) as browser:
        await browser.post("/reset", data={"kind": "user", "way": "email", "email": EMAIL})
        await settled(posting.services)
        assert len(await letters(posting, EMAIL, 3)) == 3  # one letter for both
        code = await code_to(posting, EMAIL, 3)
        refused = await browser.post("/reset/code", data={"code": wrong(code), "password": NEW})
        assert refused.status_code == 422 and 'name="kind"' not in refused.text
        choice = await browser.post("/reset/code", data={"code": code, "password": NEW})
        assert choice.status_code == 409 and "Which one?" in choice.text and f'value="{code}"' in choice.text
        assert await works(posting, "user", to, PASSWORD) and await works(posting, "vendor", to, PASSWORD)
        done = await browser.post("/reset/code", data={"code": code, "password": NEW, "kind": chosen})
        assert place(done) == f"/sign-in?kind={chosen}"
        assert await works(posting, chosen, to, NEW) and await works(posting, other, to, PASSWORD)
        again = await browser.post("/reset/code", data={"code": code, "password": NEW, "kind": other})
        assert again.status_code in {303, 422} and await works(posting, other, to, PASSWORD)  # a code works once


async def test_a_link_for_two_accounts_asks_which(posting: Site) -> None:
    to = Identifier("email", EMAIL)
    await account(posting, "user", to)
    await account(posting, "vendor", to, nth=2)
    await posting.client.post("/reset", data={"kind": "vendor", "way": "email", "email": EMAIL})
    letter = (await letters(posting, EMAIL, 3))[0]["text"]
    token = urlsplit(re.findall(r"http\S+", letter)[0]).path.rpartition("/")[2]
    choice = await posting.client.post("/reset/link", data={"token": token, "password": NEW})
    assert choice.status_code == 409 and 'name="kind" value="vendor"' in choice.text and token in choice.text
    done = await posting.client.post("/reset/link", data={"token": token, "password": NEW, "kind": "vendor"})
    assert place(done) == "/sign-in?kind=vendor"
    assert await works(posting, "vendor", to, NEW) and await works(posting, "user", to, PASSWORD)


async def test_a_code_for_two_accounts_asks_which_and_signs_in_once(posting: Site) -> None:
    to = Identifier("phone", PHONE)
    await account(posting, "user", to)
    await account(posting, "vendor", to, nth=2)
    async with visitor(posting) as browser:
        await browser.post("/sign-in/code", data={"kind": "user", "way": "phone", "phone": PHONE})
        code = await code_to(posting, PHONE, 3)
        choice = await browser.post("/verify", data={"code": code})
        assert choice.status_code == 409 and "Which one?" in choice.text and "data-sends-itself" not in choice.text
        assert place(await browser.post("/verify", data={"code": code, "kind": "vendor"})) == "/studio"
    async with posting.services.db.tx() as tx:
        assert not await verification.check_code(tx, posting.services, to, kind="any", purpose="sign_in", code=code)


async def test_an_unconfirmed_number_of_the_other_kind_is_not_offered(posting: Site) -> None:
    to = Identifier("phone", PHONE)
    await account(posting, "user", to)
    await account(posting, "vendor", to, confirmed=False, nth=2)
    async with visitor(posting) as browser:
        await browser.post("/sign-in/code", data={"kind": "vendor", "way": "phone", "phone": PHONE})
        code = await code_to(posting, PHONE, 3)
        tampered = await browser.post("/verify", data={"code": code, "kind": "vendor"})
        assert tampered.status_code == 422
        await browser.post("/sign-in/code", data={"kind": "vendor", "way": "phone", "phone": PHONE})
        code = await code_to(posting, PHONE, 4)
        assert place(await browser.post("/verify", data={"code": code})) == "/studio"
        assert "Vendor" not in (await browser.get("/account")).text
