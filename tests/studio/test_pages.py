"""The studio's pages as a person without scripts uses them."""

from __future__ import annotations

from uuid import UUID

from tests.factories import Account, Make
from tests.server import Site
from tests.studio.helpers import ended, upload, wish
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles.actions import Role
from vetrina.core.database.paging import cursor_of
from vetrina.core.services import Services
from vetrina.demo.photos import path_of


async def test_the_front_page_stands_without_an_account(site: Site) -> None:
    answer = await site.client.get("/")
    assert answer.status_code == 200 and "Photographs in" in answer.text and "/sign-up" in answer.text


async def test_generation_starts_from_a_plain_form(site: Site, worker: Services, make: Make) -> None:
    account = await make.account(tokens=3)
    async with site.browser(account) as browser, site.api(account) as api:
        page = await browser.get("/studio")
        assert page.status_code == 200 and "Watercolour" in page.text and "Generate" in page.text
        path = path_of("coffee")
        sent = await browser.post(
            "/studio",
            data={"style": "watercolour", "prompt": "A cup", "seed": "5", "asset": "token", "p.watercolour.size": "480"},
            files={"product_upload": (path.name, path.read_bytes(), "image/jpeg")},
        )
        assert sent.status_code == 303, sent.text[:500]
        place = sent.headers["location"]
        live = await browser.get(place)
        assert live.status_code == 200 and "A cup" in live.text
        created = place.rpartition("/")[2]
        done = await ended(api, created)
        assert done["seed"] == 5 and done["parameters"]["size"] == 480
        finished = await browser.get(place)
        assert "Download" in finished.text and "Before" in finished.text and done["result_files"][0]["id"] in finished.text
        again = await browser.get(f"/studio?again={created}")
        assert 'value="5"' in again.text and "A cup" in again.text
        history = await browser.get("/studio/generations")
        assert place in history.text
        assert place not in (await browser.get("/studio/generations?status=failed")).text

        shared = await browser.post(f"{place}/sharing", data={"is_public": "true"})
        assert shared.status_code == 303
        wall = await site.client.get("/")
        assert f"/pictures/{account.id}/{created}" in wall.text and "Test" in wall.text
        assert (await site.client.get(f"/pictures/{account.id}/{created}")).status_code == 200
        await browser.post(f"{place}/sharing", data={"is_public": "false"})
        assert (await site.client.get(f"/pictures/{account.id}/{created}")).status_code == 404


async def test_errors_appear_beside_their_fields_and_uploads_are_preserved(site: Site, make: Make) -> None:
    account = await make.account(tokens=1)
    async with site.browser(account) as browser, site.api(account) as api:
        product = await upload(api)
        form = {"style": "oil", "prompt": "Keep these words", "asset": "token", "seed": "", "product_files": product}
        wrong = await browser.post("/studio", data={**form, "p.oil.brush": "9"})
        assert wrong.status_code == 422 and "must be between" in wrong.text and "Keep these words" in wrong.text
        assert "Nothing was charged" in wrong.text
        bare = await browser.post("/studio", data={**form, "product_files": ""})
        assert bare.status_code == 422 and "needs an image" in bare.text
        text = {"product_upload": ("a.jpg", b"not a picture", "image/jpeg")}
        upload_refused = await browser.post("/studio", data={**form, "product_files": ""}, files=text)
        assert upload_refused.status_code == 422 and "a.jpg" in upload_refused.text
        assert (await browser.post("/studio", data=form)).status_code == 303
        poor = await browser.post("/studio", data=form)
        assert poor.status_code == 402 and "you have 0" in poor.text
    assert (await make.balance(account)) == (0, 1)


async def test_cancel_and_retry_by_form(site: Site, make: Make) -> None:
    account = await make.account(tokens=2)
    async with site.browser(account) as browser, site.api(account) as api:
        product = await upload(api)
        form = {"style": "oil", "asset": "token", "seed": "", "product_files": product}
        place = (await browser.post("/studio", data=form)).headers["location"]
        assert (await browser.post(f"{place}/cancellation")).headers["location"] == place
        page = await browser.get(place)
        assert "Cancelled" in page.text and "refunded to your wallet" in page.text
        again = (await browser.post(f"{place}/retry")).headers["location"]
        assert again != place and (await browser.get(again)).status_code == 200


async def test_other_accounts_cannot_see_generations(site: Site, make: Make) -> None:
    account, stranger = await make.account(tokens=2), await make.account(tokens=2)
    async with site.browser(account) as browser, site.browser(stranger) as other, site.api(account) as api:
        product = await upload(api)
        form = {"style": "oil", "asset": "token", "product_files": product}
        place = (await browser.post("/studio", data=form)).headers["location"]
        assert (await other.get(place)).status_code == 404
        for action in ("cancellation", "retry", "sharing"):
            assert (await other.post(f"{place}/{action}")).status_code == 404, action
        assert f'value="{product}"' not in (await other.get(f"/studio?product={product}")).text
        to_sign_in = await site.client.get(place)
        assert to_sign_in.status_code == 303 and to_sign_in.headers["location"].startswith("/sign-in?next=")


async def test_every_style_has_its_tile(site: Site) -> None:
    items = (await site.client.get("/api/v1/styles")).json()["items"]
    assert len(items) >= 10 and all(item["cost"] >= 1 for item in items)
    for item in items:
        tile = await site.client.get(item["preview_url"])
        assert tile.status_code == 200 and tile.headers["content-type"] == "image/webp", item["name"]
    assert (await site.client.get("/styles/nonsense.webp")).status_code == 404


async def finished(site: Site, account: Account) -> str:
    """Return the id of a finished generation of the account."""
    async with site.api(account) as api:
        started = await api.post("/generations", json=wish(await upload(api)))
        assert started.status_code == 201, started.text
        generation = str(started.json()["id"])
        await ended(api, generation)
    return generation


async def test_a_disabled_accounts_pictures_leave_every_public_place(site: Site, worker: Services, make: Make) -> None:
    account = await make.account(tokens=3)
    generation = await finished(site, account)
    async with site.browser(account) as browser:
        await browser.post(f"/studio/generations/{generation}/sharing", data={"is_public": "true"})
    link = f"/pictures/{account.id}/{generation}"
    assert link in (await site.client.get("/")).text and (await site.client.get(link)).status_code == 200
    async with site.services.db.tx() as tx:
        await tx.connection.execute("update accounts.accounts set is_active = false where id = %s", (account.id,))
    for place in ("/", "/pictures"):
        assert link not in (await site.client.get(place)).text, place
    assert (await site.client.get(link)).status_code == 404


async def test_an_account_without_a_confirmed_identifier_publishes_nothing(site: Site, worker: Services, make: Make) -> None:
    account = await make.account(tokens=3, confirmed=False)
    generation = await finished(site, account)
    async with site.browser(account) as browser:
        refused = await browser.post(f"/studio/generations/{generation}/sharing", data={"is_public": "true"})
        assert refused.status_code == 403 and "Confirm your e-mail address" in refused.text
    assert (await site.client.get(f"/pictures/{account.id}/{generation}")).status_code == 404


async def test_the_front_page_begins_with_the_pictures_that_an_operator_chose(site: Site, worker: Services, make: Make) -> None:
    account, operator = await make.account(tokens=10), await make.account()
    async with site.services.db.tx() as tx:
        await roles.grant(tx, operator.id, Role.ADMIN)
    links: list[str] = []
    files: list[str] = []
    async with site.api(account) as api, site.browser(account) as browser:
        for _ in range(5):
            generation = await finished(site, account)
            await browser.post(f"/studio/generations/{generation}/sharing", data={"is_public": "true"})
            links.append(f"/pictures/{account.id}/{generation}")
            files.append((await api.get(f"/generations/{generation}")).json()["result_files"][0]["id"])

    async def order() -> list[int]:
        """Return the order of the pictures on the front page, each once."""
        text = (await site.client.get("/")).text
        return sorted((n for n in range(5) if links[n] in text), key=lambda n: text.index(links[n]))

    assert await order() == [4, 3, 2, 1, 0]
    async with site.api(operator) as api:
        for n in (0, 2):
            chosen = await api.post(f"/operator/public-pictures/{account.id}/{files[n]}/featuring")
            assert (chosen.status_code, chosen.json()["is_featured"]) == (201, True)
        assert await order() == [2, 0, 4, 3, 1]
        assert (await site.client.get("/")).text.count(links[0]) == 1
        assert links[2] in (await site.client.get("/", params={"cursor": cursor_of(UUID(files[1]))})).text
        await api.post(f"/operator/public-pictures/{account.id}/{files[2]}/takedown", json={"reason": "Rights"})
        assert await order() == [0, 4, 3, 1]
        assert (await site.client.get(links[2])).status_code == 404
        async with site.browser(account) as browser:
            generation = links[2].rpartition("/")[2]
            again = await browser.post(f"/studio/generations/{generation}/sharing", data={"is_public": "true"})
        assert again.status_code == 409 and "cannot be published again" in again.text
        assert (await api.delete(f"/operator/public-pictures/{account.id}/{files[0]}/featuring")).status_code == 204
        assert await order() == [4, 3, 1, 0]
        log = (await api.get("/operator/audit-logs", params={"account": str(account.id)})).json()["items"]
        actions = [item["action"] for item in log if "featured" in item["action"]]
        assert actions == ["picture_unfeatured", "picture_featured", "picture_featured"]


async def test_a_deleted_result_is_no_failure(site: Site, worker: Services, make: Make) -> None:
    """Its page said that it could not be made, and offered to try again, which was refused."""
    account = await make.account(tokens=5)
    async with site.api(account) as api, site.browser(account) as browser:
        generation = (await api.post("/generations", json=wish(await upload(api)))).json()["id"]
        done = await ended(api, generation)
        assert (await api.delete(f"/files/{done['result_files'][0]['id']}")).status_code == 204
        page = (await browser.get(f"/studio/generations/{generation}")).text
        assert "deleted from your library later" in page and "Make another with these settings" in page
        assert "Generation failed" not in page and f"/studio/generations/{generation}/retry" not in page
        history = (await browser.get("/studio/generations")).text
        assert "Deleted" in history
