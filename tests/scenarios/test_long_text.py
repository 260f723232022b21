"""Long user text cannot break a page: unbroken words, right-to-left and mixed text, at every width."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser import browsing, needs_chromium, sign_in
from tests.factories import Make
from tests.server import Site
from tests.studio.helpers import ended, upload, wish
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles.actions import Role
from vetrina.core.services import Services

pytestmark = needs_chromium

TEXTS = {
    "unbroken": "W" * 100,
    "right to left": "نگارخانه‌ی‌هنرهای‌تجسمی" * 4,
    "mixed": "Studio (۱۲) گالری <3 & Söhne/Werkstatt-für-Bildermacherei-" + "x" * 40,
}
WIDE = """() => {
  const limit = document.documentElement.clientWidth;
  const wide = document.documentElement.scrollWidth;
  if (wide <= limit) return null;
  const over = [...document.querySelectorAll('body *')].filter(e => {
    const box = e.getBoundingClientRect();
    return box.width > 0 && (box.right > limit + 1 || box.left < -1);
  }).map(e => e.tagName.toLowerCase() + '.' + e.className);
  return `${wide} px wide at ${limit}: ${over.slice(0, 4).join(' ')}`;
}"""


async def _filled(site: Site, make: Make, text: str) -> tuple[Any, list[str]]:
    """Return an account whose text fields all hold `text`, and the pages that show them."""
    account = await make.account(tokens=9)
    handle = "w" * 28 + account.email[:2]
    async with site.api(account) as api:
        profile = {
            "handle": handle,
            "name": text,
            "bio": text * 3,
            "business": {"business_name": text, "bio": text * 3, "contact_info": {"address": text}},
        }
        (await api.patch("/me/profile", json=profile)).raise_for_status()
        product = await upload(api)
        tag = "".join(letter for letter in text if letter.isalnum())[:40]
        (await api.patch(f"/files/{product}", json={"file_name": f"{text}.jpg", "tags": [tag]})).raise_for_status()
        generation_id = (await api.post("/generations", json={**wish(product), "prompt": text})).json()["id"]
        await ended(api, generation_id)
        (await api.post(f"/generations/{generation_id}/sharing", json={"is_public": True})).raise_for_status()
    async with make.services.db.tx() as tx:
        await roles.grant(tx, account.id, Role.SUPERUSER)
    return account, [
        "/", f"/pictures/{account.id}/{generation_id}", f"/@{handle}", "/studio", f"/studio?again={generation_id}",
        "/studio/generations", f"/studio/generations/{generation_id}", "/library", f"/library/{product}",
        "/account", "/settings/profile",
        "/account/usage", "/wallet", "/wallet/buy", "/plan", "/payments", "/settings/audit", "/settings/sessions",
        "/settings/security", "/settings/privacy", "/operator/accounts", f"/operator/accounts/{account.id}", "/operator/audit",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", TEXTS)
async def test_no_page_overflows(site: Site, worker: Services, make: Make, kind: str) -> None:
    """Issue 9, 29."""
    account, paths = await _filled(site, make, TEXTS[kind])
    async with browsing(site.url, viewport={"width": 320, "height": 900}) as context:
        await sign_in(context, site.url, account)
        page = await context.new_page()
        faults: list[str] = []
        for path in paths:
            answer = await page.goto(path, wait_until="domcontentloaded")
            assert answer is not None and answer.status == 200, path
            for width in (320, 360, 1280):
                await page.set_viewport_size({"width": width, "height": 900})
                if fault := await page.evaluate(WIDE):
                    faults.append(f"{path}: {fault}")
    assert faults == []
