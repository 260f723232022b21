"""The studio's draft: one an account, by the API and by forms without scripts."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.factories import Make
from tests.server import Site
from tests.studio.helpers import QUICK, upload
from vetrina.core.services import Services


def draft(product: str, **changes: Any) -> dict[str, Any]:
    """A draft with an image, words, a seed and a setting."""
    return {"style_name": "oil", "prompt": "A cup", "seed": 7, "product_files": [product], "parameters": QUICK, **changes}


async def test_draft_is_saved_replaced_and_deleted(site: Site, make: Make) -> None:
    account, other = await make.account(), await make.account()
    async with site.api(account) as api, site.api(other) as others:
        assert (await api.get("/studio/draft")).status_code == 404
        product = await upload(api)
        first = await api.put("/studio/draft", json=draft(product))
        assert first.status_code == 200, first.text
        assert first.json() | draft(product) == first.json() and first.json()["deleted_files"] == 0
        assert (await api.get("/studio/draft")).json() == first.json()
        second = await api.put("/studio/draft", json={"style_name": "comic"})
        assert second.json()["style_name"] == "comic" and second.json()["product_files"] == []
        assert (await others.get("/studio/draft")).status_code == 404
        assert (await api.delete("/studio/draft")).status_code == 204
        assert (await api.get("/studio/draft")).status_code == 404


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"style_name": "no_such"}, "unknown-style"),
        ({"parameters": {"brush": 9}}, "invalid-parameters"),
        ({"prompt": "x" * 1001}, "prompt-too-long"),
        ({"seed": -1}, "invalid"),
        ({"batch": {"kind": "styles", "styles": ["oil", "no such"]}}, "unknown-style"),
        ({"batch": {"kind": "styles", "styles": ["\0"]}}, "unknown-style"),
        ({"batch": {"kind": "seeds", "count": 65}}, "about:blank"),
        ({"prompt": "\0"}, "invalid"),
        ({"product_files": [str(uuid4()) for _ in range(65)]}, "too-many-images"),
        ({"product_files": [str(uuid4())]}, "file-not-found"),
    ],
)
async def test_invalid_draft_is_refused_and_the_saved_one_remains(
    site: Site, make: Make, changes: dict[str, Any], kind: str
) -> None:
    account = await make.account()
    async with site.api(account) as api:
        saved = (await api.put("/studio/draft", json={"style_name": "oil", "prompt": "Kept"})).json()
        refused = await api.put("/studio/draft", json={"style_name": "oil", **changes})
        assert refused.status_code == 422 and refused.json()["type"].endswith(kind), refused.text
        assert (await api.get("/studio/draft")).json() == saved


async def test_draft_holds_own_files_only_and_loses_deleted_ones(site: Site, make: Make) -> None:
    account, other = await make.account(), await make.account()
    async with site.api(account) as api, site.api(other) as others, site.browser(account) as browser:
        own, deleted, foreign = await upload(api), await upload(api, photo="cat"), await upload(others)
        refused = await api.put("/studio/draft", json=draft(foreign))
        assert refused.status_code == 422 and refused.json()["type"].endswith("file-not-found")
        form = {"style": "oil", "product_files": [foreign, own, deleted], "prompt": "A cup"}
        assert (await browser.post("/studio/draft", data=form)).status_code == 204
        assert (await api.get("/studio/draft")).json()["product_files"] == [own, deleted]
        assert (await api.delete(f"/files/{deleted}")).status_code == 204
        left = (await api.get("/studio/draft")).json()
        assert left["product_files"] == [own] and left["deleted_files"] == 1
        page = await browser.get("/studio")
        assert "We restored your draft" in page.text and "deleted and is not in it any more" in page.text


async def test_form_without_scripts_saves_restores_and_discards(site: Site, make: Make) -> None:
    account = await make.account(tokens=5)
    async with site.browser(account) as browser, site.api(account) as api:
        product = await upload(api)
        form = {"style": "oil", "prompt": "Half a thought", "seed": "7", "product_files": product, "p.oil.size": "640"}
        saved = await browser.post("/studio/draft", data={**form, "then": "stay"})
        assert saved.status_code == 303 and saved.headers["location"] == "/studio"
        page = (await browser.get("/studio")).text
        assert "We restored your draft" in page and "Half a thought" in page and 'value="7"' in page
        assert f'value="{product}" checked' in page
        assert (await browser.post("/studio/draft/discard")).headers["location"] == "/studio"
        assert (await api.get("/studio/draft")).status_code == 404
        page = (await browser.get("/studio")).text
        assert "You started fresh" in page and "Half a thought" not in page
        await browser.post("/studio/draft/restoration")
        assert "Half a thought" in (await browser.get("/studio")).text
        buying = await browser.post("/studio/draft", data={**form, "prompt": "Before the purchase", "then": "buy"})
        assert buying.headers["location"] == "/wallet/buy?next=%2Fstudio"
        assert "Before the purchase" in (await browser.get("/studio")).text


async def test_an_address_with_a_picture_or_a_style_goes_into_the_draft(site: Site, make: Make) -> None:
    account = await make.account(tokens=5)
    async with site.browser(account) as browser, site.api(account) as api:
        first, second = await upload(api), await upload(api, photo="cat")
        await api.put("/studio/draft", json=draft(first))
        page = (await browser.get(f"/studio?product={second}&style=comic")).text
        assert "We restored your draft" in page and "A cup" in page and f'value="{second}" checked' in page
        assert f'value="{first}" checked' not in page and 'value="comic" checked' in page
        started = await api.post("/generations", json={**draft(second), "asset": "token"})
        again = (await browser.get(f"/studio?again={started.json()['id']}")).text
        assert "You have a draft" in again


async def test_refused_start_saves_the_draft_and_a_start_deletes(site: Site, make: Make) -> None:
    account = await make.account(tokens=1)
    async with site.browser(account) as browser, site.api(account) as api:
        product = await upload(api)
        form = {"style": "oil", "prompt": "Not lost", "asset": "token", "seed": "", "p.oil.size": "480", "p.oil.brush": "9"}
        assert (await browser.post("/studio", data={**form, "product_files": product})).status_code == 422
        draft_saved = (await api.get("/studio/draft")).json()
        assert (
            draft_saved["prompt"] == "Not lost"
            and draft_saved["parameters"] == {"size": 480}
            and draft_saved["product_files"] == [product]
        )
        del form["p.oil.brush"]
        assert (await browser.post("/studio", data={**form, "product_files": product})).status_code == 303
        assert (await api.get("/studio/draft")).status_code == 404
        assert (await browser.post("/studio", data={**form, "product_files": product})).status_code == 402
        assert (await api.get("/studio/draft")).json()["prompt"] == "Not lost"


async def test_draft_is_exported_and_erased(site: Site, make: Make, services: Services) -> None:
    from vetrina.studio.personal_data import DRAFT, ERASE_DRAFT

    account, other = await make.account(), await make.account()
    for owner in (account, other):
        async with site.api(owner) as api:
            await api.put("/studio/draft", json={"style_name": "oil", "prompt": "Mine"})
    async with services.db.tx() as tx:
        rows = await tx.fetch_all(DRAFT, account=account.id)
        assert [row["prompt"] for row in rows] == ["Mine"] and "account_id" not in rows[0]
        await tx.execute(ERASE_DRAFT, account=account.id)
        assert await tx.fetch_all(DRAFT, account=account.id) == []
        assert len(await tx.fetch_all(DRAFT, account=other.id)) == 1
