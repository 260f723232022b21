"""Forms over a limit: every module's page answers 429 or 503 with Retry-After."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from uuid import uuid4

import httpx2
import pytest

from tests.factories import PASSWORD, Account, Make
from tests.payments.helpers import Bank
from tests.server import Site
from vetrina.accounts import passwords
from vetrina.accounts.privacy.erasures import PHRASE
from vetrina.core.services import Services
from vetrina.demo.photos import path_of
from vetrina.media.files import actions as files
from vetrina.payments.gateways.registry import Gateways
from vetrina.payments.model import GatewayFailed

Browser = httpx2.AsyncClient
Drive = Callable[[Site, Browser, pytest.MonkeyPatch], Awaitable[httpx2.Response]]
WRONG = "not the one that was chosen"


async def limited(services: Services, name: str) -> None:
    """Permit a single request in ten minutes, before the process has read the limits."""
    async with services.db.tx() as tx:
        await tx.connection.execute(
            'update core.settings set value = \'{"count": 1, "seconds": 600}\' where key = %s', (f"limits.{name}",)
        )


async def until_refused(send: Callable[[], Awaitable[httpx2.Response]]) -> httpx2.Response:
    """Send a form until it is over its limit; return that response."""
    response = await send()
    for _ in range(30):
        if response.status_code == 429:
            break
        response = await send()
    return response


async def erasure(site: Site, browser: Browser, _: pytest.MonkeyPatch) -> httpx2.Response:
    form = {"confirmation": PHRASE, "password": WRONG}
    return await until_refused(lambda: browser.post("/settings/privacy/erasure", data=form))


async def sign_in_page(site: Site, browser: Browser, _: pytest.MonkeyPatch) -> httpx2.Response:
    form = {"kind": "user", "way": "email", "email": "ada@example.com", "password": WRONG}
    return await until_refused(lambda: site.client.post("/sign-in", data=form))


async def busy_sign_up(site: Site, browser: Browser, patch: pytest.MonkeyPatch) -> httpx2.Response:
    patch.setattr(passwords, "QUEUED", -passwords.CONCURRENT)
    form = {"kind": "user", "way": "email", "email": "eve@example.com", "name": "Eve", "password": PASSWORD}
    return await site.client.post("/sign-up", data=form)


async def second_factor(site: Site, browser: Browser, _: pytest.MonkeyPatch) -> httpx2.Response:
    return await until_refused(lambda: browser.post("/settings/security/second-factor", data={"password": WRONG}))


async def new_password(site: Site, browser: Browser, _: pytest.MonkeyPatch) -> httpx2.Response:
    form = {"password": WRONG, "new_password": PASSWORD + " and longer"}
    return await until_refused(lambda: browser.post("/settings/security/password", data=form))


async def provider_callback(site: Site, browser: Browser, _: pytest.MonkeyPatch) -> httpx2.Response:
    await limited(site.services, "sign_in")
    return await until_refused(lambda: site.client.get("/auth/providers/cognito/callback"))


async def domain_check(site: Site, browser: Browser, _: pytest.MonkeyPatch) -> httpx2.Response:
    await limited(site.services, "domain_checks")
    await browser.post("/settings/domains", data={"domain": "shop.example"})
    page = (await browser.get("/settings/domains")).text
    path = re.findall(r'action="(/settings/domains/[^"]+/verification)"', page)[0]
    return await until_refused(lambda: browser.post(path))


async def portrait(site: Site, browser: Browser, patch: pytest.MonkeyPatch) -> httpx2.Response:
    patch.setattr(files, "SLOT_TIMEOUT", 0.05)
    slots = site.services.get(files.DecodeSlots)
    photo = {"file": ("cup.jpg", path_of("coffee").read_bytes(), "image/jpeg")}
    async with slots.hold(uuid4(), 1, None), slots.hold(uuid4(), 1, None):
        return await browser.post("/settings/profile/portraits/avatar", files=photo)


async def library(site: Site, browser: Browser, _: pytest.MonkeyPatch) -> httpx2.Response:
    await limited(site.services, "uploads")
    return await until_refused(lambda: browser.post("/library", files={"files": ("x.txt", b"x", "text/plain")}))


async def studio(site: Site, browser: Browser, _: pytest.MonkeyPatch) -> httpx2.Response:
    await limited(site.services, "generations")
    return await until_refused(lambda: browser.post("/studio", data={"style": "watercolour"}))


async def studio_refusal(site: Site, browser: Browser, patch: pytest.MonkeyPatch) -> httpx2.Response:
    async def busy(*_: object, **__: object) -> None:
        raise GatewayFailed

    patch.setattr("vetrina.studio.generations.actions.start", busy)
    return await browser.post("/studio", data={"style": "watercolour"})


async def shop(site: Site, browser: Browser, _: pytest.MonkeyPatch) -> httpx2.Response:
    site.services.get(Gateways).add(Bank(down=True))
    page = (await browser.get("/wallet/buy?currency=USD")).text
    pack = re.findall(r'name="pack_id" value="([^"]+)"', page)[0]
    return await browser.post("/wallet/buy", data={"pack_id": pack, "gateway": "stripe"})


async def plan(site: Site, browser: Browser, _: pytest.MonkeyPatch) -> httpx2.Response:
    site.services.get(Gateways).add(Bank(down=True))
    page = (await browser.get("/plan?gateway=stripe")).text
    plan_id = re.findall(r'name="plan_id" value="([^"]+)"', page)[0]
    return await browser.post("/plan", data={"plan_id": plan_id, "gateway": "stripe"})


PAGES = [erasure, sign_in_page, busy_sign_up, second_factor, new_password, provider_callback, domain_check, portrait, library,
         studio, studio_refusal, shop, plan]  # fmt: skip


@pytest.mark.parametrize("drive", PAGES)
async def test_pages_over_a_limit_carry_retry_after(
    site: Site, make: Make, monkeypatch: pytest.MonkeyPatch, drive: Drive
) -> None:
    account: Account = await make.account(email="ada@example.com", tokens=100)
    hashed = await site.services.get(passwords.Hasher).hash(PASSWORD)
    async with site.services.db.tx() as tx:
        await tx.connection.execute("update accounts.accounts set password_hash = %s where id = %s", (hashed, account.id))
    async with site.browser(account) as browser:
        response = await drive(site, browser, monkeypatch)
    assert response.status_code in {429, 503}, response.text[:2000]
    assert int(response.headers["retry-after"]) >= 1
    assert len(response.headers.get_list("retry-after")) == 1
