"""axe-core on every page, and no page wider than the window: both themes, both directions, 360 and 1280 pixels."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page

from tests.access.matrix import Scene
from tests.accounts.auth_helpers import registered
from tests.accounts.second_factor.test_second_factor import enrolled
from tests.browser import browsing, judge_strictly, needs_chromium, sign_in
from tests.factories import PASSWORD, Account, Make
from tests.scenarios.pages import FURTHER, PAGES, fill
from tests.server import Site, serving
from tests.stripe_mirror.helpers import with_stripe
from tests.thoroughness import by_profile
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles.actions import Role
from vetrina.core.services import Services, connect
from vetrina.core.settings.environment import Settings

pytestmark = needs_chromium

FEW = [("light", "en", 1280), ("dark", "fa", 1280)]
LOOKS = by_profile(full=[*FEW, ("light", "fa", 360), ("dark", "en", 360)], fast=FEW)
"""Theme, language and width; in full every pair of two values is in one of them."""


@pytest_asyncio.fixture
async def whole_site(settings: Settings, database: str) -> AsyncIterator[Site]:
    """A development site with a mirror of Stripe."""
    async with serving(connect(replace(with_stripe(settings), development=True), database)) as site:
        yield site


@pytest.mark.parametrize(("theme", "language", "width"), LOOKS)
async def test_every_page_before_axe(whole_site: Site, worker: Services, theme: Any, language: str, width: int) -> None:
    make = Make(whole_site.services)
    superuser = await make.account()
    async with whole_site.services.db.tx() as tx:
        await roles.grant(tx, superuser.id, Role.SUPERUSER)
    owner, stranger = await make.account(tokens=60), await make.account()
    names = await fill(Scene(whole_site, make, owner, stranger, superuser, superuser))
    faults: dict[str, list[str]] = {}
    todo = [*PAGES.values(), *FURTHER]
    for caller in ("owner", "operator", "stranger", "resetting", "signing up", "second factor", "anyone"):
        account = {"owner": owner, "operator": superuser, "stranger": stranger}.get(caller)
        options: dict[str, Any] = {"color_scheme": theme, "viewport": {"width": width, "height": 900}}
        async with browsing(whole_site.url, **options) as context:
            await _become(context, whole_site, caller, account, language)
            page = await context.new_page()
            for address in (address.format(**names) for opener, address in todo if opener == caller):
                if page_faults := await _look_at(page, whole_site, address, width, language):
                    faults[f"{caller} {address}"] = page_faults
    assert faults == {}, "\n" + "\n".join(f"{page}: {fault}" for page, page_faults in faults.items() for fault in page_faults)


async def _become(context: BrowserContext, site: Site, caller: str, account: Account | None, language: str) -> None:
    if account is not None:
        await sign_in(context, site.url, account)
    post = context.request.post
    await post("/language", form={"language": language, "next": "/"}, max_redirects=0)
    if caller == "owner":
        await post("/settings/security/second-factor", form={"password": ""}, max_redirects=0)
    elif caller == "resetting":
        await post("/reset", form={"email": "nobody@example.com", "kind": "user", "way": "email"}, max_redirects=0)
    elif caller == "second factor":
        await enrolled(site, await registered(site, email="two@example.com"))
        form: dict[str, str | float | bool] = {"email": "two@example.com", "password": PASSWORD, "kind": "user", "way": "email"}
        await post("/sign-in", form=form, max_redirects=0)
    elif caller == "signing up":
        form = {"email": "new@example.com", "password": "a very good long one", "kind": "user", "way": "email", "name": "New"}
        await post("/sign-up", form=form, max_redirects=0)


async def _look_at(page: Page, site: Site, address: str, width: int, language: str) -> list[str]:
    """Return what is wrong with a page."""
    answer = await page.goto(address)
    assert answer is not None
    expected = 404 if "nothing/is" in address else 422 if "nonsense" in address else 200
    faults = [] if answer.status in {expected, 200} else [f"status {answer.status}"]
    if page.url.removeprefix(site.url) != address.removeprefix(site.url):
        faults.append(f"it leads to {page.url}")
    direction = await page.evaluate("document.documentElement.dir")
    faults += [] if direction == ("rtl" if language == "fa" else "ltr") else [f"direction {direction}"]
    wide = await page.evaluate("document.documentElement.scrollWidth")
    faults += [] if wide <= width else [f"{wide} px wide"]
    return faults + await judge_strictly(page)
