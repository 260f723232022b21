"""Profiles: handles and their rules, the business face and its badge, portraits, the public page and the editor."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.factories import Account, Make, race
from tests.server import Site
from tests.studio.helpers import upload
from vetrina.accounts.profiles import actions as profiles
from vetrina.accounts.profiles.model import ContactInfo, InvalidContact, InvalidLink
from vetrina.demo.photos import path_of

HTTPS = "https://"
SHOP: dict[str, Any] = {
    "business_name": "Ada's Prints",
    "bio": "Linocuts.",
    "profile_info": {"tagline": "Small editions", "location": "Delft", "website": "https://prints.example/shop"},
    "contact_info": {"email": "hello@prints.example", "phone": "+98 912 345 6789", "address": "Oude Delft 1"},
    "social_links": {"instagram": "instagram.com/ada", "mastodon": HTTPS + "bücher.example/@ada"},
}


async def change(site: Site, account: Account, status: int = 200, **wanted: Any) -> dict[str, Any]:
    """PATCH one's profile."""
    async with site.api(account) as api:
        answer = await api.patch("/me/profile", json=wanted)
    assert answer.status_code == status, answer.text
    return answer.json()


async def later(site: Site, days: int) -> None:
    """Let days pass, as far as handles are concerned."""
    async with site.services.db.tx() as tx:
        await tx.connection.execute(
            f"update accounts.accounts set handle_changed_at = handle_changed_at - interval '{days} days'".encode()
        )
        await tx.connection.execute(f"update accounts.former_handles set free_at = free_at - interval '{days} days'".encode())


async def test_public_profile_contains_only_public_fields(site: Site, make: Make) -> None:
    account = await make.account(email="ada@private.example")
    own = await change(site, account, handle="@Ada_L", name=" Ada ", bio="Draws.\nPrints.")
    assert (own["handle"], own["name"], own["bio"], own["handle_may_change_at"]) == ("ada_l", "Ada", "Draws.\nPrints.", None)
    public = (await site.client.get("/api/v1/profiles/ADA_L")).json()
    assert public == {key: value for key, value in own.items() if key != "handle_may_change_at"}
    assert public["business"] is None and public["avatar"] is None and public["verified_domains"] == []
    page = await site.client.get("/@ada_l")
    assert page.status_code == 200 and "Ada" in page.text and "@ada_l" in page.text and "Draws.\nPrints." in page.text
    assert "private.example" not in page.text and "Edit your profile" not in page.text
    assert (await site.client.get("/@Ada_L")).headers["location"] == "/@ada_l"
    async with site.browser(account) as browser:
        assert "Edit your profile" in (await browser.get("/@ada_l")).text
    for nobody in ("/@nobody", "/@", "/@ada_l/elsewhere", "/api/v1/profiles/nobody"):
        assert (await site.client.get(nobody)).status_code == 404, nobody
    for gone in ("is_active = false", "is_active = true, email = null, erased_at = now()"):
        async with site.services.db.tx() as tx:
            await tx.connection.execute(f"update accounts.accounts set {gone} where id = %s".encode(), [account.id])
        assert (await site.client.get("/@ada_l")).status_code == 404


async def test_which_handles_there_are(site: Site, make: Make) -> None:
    ada, eve = await make.account(), await make.account(kind="vendor")
    for wrong, status, kind in (
        ("ab", 422, "invalid-handle"), ("a" * 31, 422, "invalid-handle"), ("-ada", 422, "invalid-handle"),
        ("ada_", 422, "invalid-handle"),
        ("a b c", 422, "invalid-handle"), ("آدا", 422, "invalid-handle"), ("ada.l", 422, "invalid-handle"),
        ("Admin", 422, "handle-reserved"), ("settings", 422, "handle-reserved"),
    ):  # fmt: skip
        message = await change(site, ada, status, handle=wrong)
        assert (message["type"], message["field"]) == (f"urn:vetrina:{kind}", "handle"), wrong
    await change(site, ada, handle="ada")
    assert (await change(site, eve, 409, handle="ADA"))["type"] == "urn:vetrina:handle-taken"
    makers = [await make.account() for _ in range(6)]
    left = iter(makers)
    answers = await race(6, lambda: _claim(site, next(left), "wanted"))
    assert sorted(answer for answer in answers if isinstance(answer, int)) == [200] + [409] * 5


async def _claim(site: Site, account: Account, handle: str) -> int:
    async with site.api(account) as api:
        return (await api.patch("/me/profile", json={"handle": handle})).status_code


async def test_a_handle_is_changed_rarely_and_the_old_one_leads_on(site: Site, make: Make) -> None:
    ada, eve = await make.account(), await make.account()
    await change(site, ada, handle="adda")
    assert (await change(site, ada, handle="ada"))["handle_may_change_at"] is not None  # a slip is put right at once
    assert (await change(site, ada, 409, handle="lovelace"))["type"] == "urn:vetrina:handle-changed-recently"
    assert (await change(site, ada, 409, handle="adda"))["type"] == "urn:vetrina:handle-changed-recently"
    assert (await change(site, ada, handle="ada", bio="The same handle is no change."))["handle"] == "ada"
    assert (await site.client.get("/@adda")).headers["location"] == "/@ada"
    assert (await site.client.get("/api/v1/profiles/adda")).status_code == 404
    assert await _claim(site, eve, "adda") == 409  # nobody else has it for 90 days
    await change(site, ada, handle=None)  # giving it up is always free, and no way around the pause
    assert (await change(site, ada, 409, handle="other"))["type"] == "urn:vetrina:handle-changed-recently"
    await later(site, 14)
    await change(site, ada, handle="adda")  # one's own comes back
    assert (await site.client.get("/@ada")).headers["location"] == "/@adda"
    assert await _claim(site, eve, "ada") == 409
    await later(site, 90)
    assert await _claim(site, eve, "ada") == 200
    assert (await site.client.get("/@ada")).status_code == 200


async def test_concurrent_claim_of_a_released_handle_is_refused(site: Site, make: Make) -> None:
    ada, eve = await make.account(), await make.account()
    await change(site, ada, handle="ada")
    async with site.services.db.tx() as tx:
        await tx.connection.execute("update accounts.accounts set handle = null where id = %s", [ada.id])
        waiting = asyncio.create_task(_claim(site, eve, "ada"))
        await asyncio.sleep(0.3)
        assert not waiting.done()
    assert await waiting == 409


async def test_a_user_adds_a_business_face(site: Site, make: Make) -> None:
    account = await make.account()
    assert (await change(site, account, 422, business={"bio": "Linocuts."}))["type"] == "urn:vetrina:invalid-business-name"
    await change(site, account, handle="ada", name="Ada", bio="Me.", business=SHOP)
    public = (await site.client.get("/api/v1/profiles/ada")).json()
    assert public["name"] == "Ada" and public["bio"] == "Me." and public["kind"] == "user"
    assert public["business"] == {
        **SHOP, "is_verified": False, "logo": None,
        "contact_info": {**SHOP["contact_info"], "phone": "+989123456789"},
        "social_links": {"instagram": f"{HTTPS}instagram.com/ada", "mastodon": "https://xn--bcher-kva.example/@ada"},
    }  # fmt: skip
    page = (await site.client.get("/@ada")).text
    for displayed in ("Ada&#39;s Prints", "Small editions", "Delft", "hello@prints.example", 'href="tel:+989123456789"'):
        assert displayed in page, displayed
    assert page.count('rel="nofollow noopener noreferrer ugc"') == 3 and f'href="{HTTPS}instagram.com/ada"' in page
    assert "Verified" not in page and "Proven" not in page
    changed = await change(site, account, business={"profile_info": {"location": "Leiden"}, "bio": None})
    assert changed["business"]["profile_info"] == {"location": "Leiden"} and changed["business"]["bio"] is None
    assert changed["business"]["contact_info"]["address"] == "Oude Delft 1"
    # the person's name is the person's
    async with site.browser(account) as browser:
        await browser.post("/account", data={"name": "Ada L."})
    renamed = await change(site, account)
    assert (renamed["name"], renamed["business"]["business_name"]) == ("Ada L.", "Ada's Prints")
    assert (await change(site, account, business=None))["business"] is None


async def test_a_vendor_is_its_business(site: Site, make: Make) -> None:
    account = await make.account(kind="vendor")
    result = await change(site, account, handle="prints", name="The Print Shop", bio="Since 1981.")
    assert result["name"] == result["business"]["business_name"] == "The Print Shop"
    assert result["bio"] == result["business"]["bio"] == "Since 1981."
    assert (await change(site, account, 409, business=None))["type"] == "urn:vetrina:vendor-profile-required"
    assert (await change(site, account, 422, name=" "))["type"] == "urn:vetrina:invalid-business-name"
    page = (await site.client.get("/@prints")).text
    assert "<h1>The Print Shop</h1>" in page and "Since 1981." in page


async def test_the_badge_is_given_to_a_name(site: Site, make: Make) -> None:
    account, admin = await make.account(kind="vendor"), await make.account()
    await change(site, account, handle="prints", name="The Print Shop")
    async with site.services.db.tx() as tx:
        await profiles.verify_vendor(tx, account.id)
    assert "Verified" in (await site.client.get("/@prints")).text
    assert (await change(site, account, bio="New words."))["business"]["is_verified"]
    assert not (await change(site, account, name="The Mint"))["business"]["is_verified"]
    assert "Verified" not in (await site.client.get("/@prints")).text
    assert (await change(site, account, 422, business={"is_verified": True}))["status"] == 422
    assert (await change(site, admin))["business"] is None


async def test_links_that_are_proven_carry_a_mark(site: Site, make: Make) -> None:
    account = await make.account()
    await change(site, account, handle="ada", business=SHOP)
    async with site.services.db.tx() as tx:
        await tx.connection.execute(
            """insert into accounts.domain_verifications (account_id, id, domain, verification_code, status, verified_at)
               values (%s, core.new_id(), 'prints.example', 'x', 'verified', now()),
                      (%s, core.new_id(), 'other.example', 'x', 'pending', null)""",
            [account.id, account.id],
        )
    assert (await site.client.get("/api/v1/profiles/ada")).json()["verified_domains"] == ["prints.example"]
    assert "Verified by DNS" in (await site.client.get("/@ada")).text
    assert profiles.is_on_domain("https://www.prints.example/x", ["prints.example"])
    for other in ("https://prints.example.evil.example/", "https://notprints.example/", None, "https://x.example/prints.example"):
        assert not profiles.is_on_domain(other, ["prints.example"])


async def test_invalid_links_and_contacts_are_refused(site: Site, make: Make) -> None:
    for fine, stored in (
        ("prints.example", "https://prints.example"), ("https://Prints.example/a?b=c#d", "https://prints.example/a?b=c#d"),
        (HTTPS + "فروشگاه.example/", "https://xn--mgbtj4c7ad63e.example/"),
    ):  # fmt: skip
        assert profiles.normalize_url(fine) == stored
    for wrong in (
        "http://prints.example", "javascript:alert(1)", "ftp://prints.example", "data:text/html,x", "//prints.example@evil",
    ):  # fmt: skip
        with pytest.raises(InvalidLink):
            profiles.normalize_url(wrong)
    for wrong in (
        "", "prints", "192.0.2.7/", "[2001:db8::1]/", "me:word@prints.example/", "prints.example:8443/", "prints.example/\nx",
        "a b.example", 'prints.example/"onclick=', "1.2.3/", "prints.example/" + "x" * 300,
    ):  # fmt: skip
        with pytest.raises(InvalidLink):
            profiles.normalize_url(HTTPS + wrong)
    for contact in (ContactInfo(email="nobody"), ContactInfo(phone="0912 345 6789"), ContactInfo(phone="+98 1")):
        with pytest.raises(InvalidContact):
            profiles.normalize_contact(contact)
    account = await make.account()
    for links, network in (
        ({"instagram": "https://evil.example/ada"}, "instagram"), ({"instagram": "https://instagram.com.example/"}, "instagram"),
        ({"friendster": "https://friendster.example"}, "friendster"),
    ):  # fmt: skip
        message = await change(site, account, 422, business={"business_name": "X", "social_links": links})
        assert (message["type"], message["network"]) == ("urn:vetrina:invalid-social-link", network)


async def test_portraits_come_from_ones_own_library(site: Site, make: Make) -> None:
    ada, eve = await make.account(), await make.account()
    async with site.api(ada) as api, site.api(eve) as hers:
        file = await upload(api, photo="coffee")
        others = await upload(hers, photo="room")
    await change(site, ada, 404, avatar=others)
    displayed = await change(site, ada, handle="ada", avatar=file)
    assert displayed["avatar"]["url"].startswith(f"/media/{ada.id}/{file}/320?") and "original" not in displayed["avatar"]["url"]
    assert (await site.client.get(displayed["avatar"]["url"])).status_code == 200
    page = (await site.client.get("/@ada")).text
    assert displayed["avatar"]["url"].replace("&", "&amp;") in page and f"{file}/original" not in page
    assert (await change(site, ada, logo=file, business=SHOP))["business"]["logo"]["url"] == displayed["avatar"]["url"]
    assert (await change(site, ada, avatar=None))["avatar"] is None
    async with site.api(ada) as api:
        await change(site, ada, avatar=file)
        await api.delete(f"/files/{file}")  # the picture goes, and with it where it was shown
    result = await change(site, ada)
    assert result["avatar"] is None and result["business"]["logo"] is None


async def test_profile_shows_public_images(site: Site, make: Make) -> None:
    account = await make.account()
    await change(site, account, handle="ada", name="Ada")
    assert "has no public images" in (await site.client.get("/@ada")).text
    async with site.api(account) as api:
        displayed, hidden = await upload(api, photo="coffee"), await upload(api, photo="room")
        await api.patch(f"/files/{displayed}", json={"is_public": True})
    page = (await site.client.get("/@ada")).text
    assert str(displayed) in page and str(hidden) not in page
    items = (await site.client.get("/api/v1/profiles/ada/pictures")).json()["items"]
    assert [item["id"] for item in items] == [str(displayed)]
    assert (await site.client.get(items[0]["url"])).status_code == 200


async def test_the_editor(site: Site, make: Make) -> None:
    account = await make.account()
    here = "/settings/profile"
    async with site.browser(account) as browser:
        page = (await browser.get(here)).text
        assert "Choose a handle" in page and "Add a business profile" in page
        wrong = await browser.post(here, data={"handle": "a b", "name": "Ada <i>", "bio": "Hm"})
        assert wrong.status_code == 422 and 'id="handle-error"' in wrong.text and 'value="Ada &lt;i&gt;"' in wrong.text
        assert (await browser.post(here, data={"handle": "ada", "name": "Ada", "bio": "x" * 2001})).status_code == 422
        assert (await browser.post(here, data={"handle": "ada", "name": "Ada", "bio": "Draws."})).status_code == 303
        assert 'href="/@ada"' in (await browser.get(here)).text

        form = {"business_name": "Prints", "website": "http://prints.example", "instagram": "", "email": "", "phone": ""}
        wrong = await browser.post(f"{here}/business", data=form)
        assert wrong.status_code == 422 and 'id="website-error"' in wrong.text and 'value="http://prints.example"' in wrong.text
        for field, value in (("instagram", "https://evil.example"), ("phone", "12"), ("email", "x"), ("business_name", "")):
            wrong = await browser.post(f"{here}/business", data={**form, "website": "", field: value})
            assert wrong.status_code == 422 and f'id="{field}-error"' in wrong.text, field
        assert (await browser.post(f"{here}/business", data={**form, "website": "prints.example"})).status_code == 303
        page = (await browser.get(here)).text
        assert 'value="https://prints.example"' in page and "Remove the business profile" in page

        photo = {"file": ("me.jpg", path_of("coffee").read_bytes(), "image/jpeg")}
        assert (await browser.post(f"{here}/portraits/avatar", files=photo)).status_code == 303
        assert "The picture in use" in (await browser.get(here)).text
        async with site.api(account) as api:
            file = (await api.get("/files")).json()["items"][0]
        assert file["category"] == "profile_image" and not file["is_public"]
        chosen = await browser.post(f"{here}/portraits/logo", files={"file_id": (None, file["id"])})
        assert chosen.status_code == 303
        wrong = await browser.post(f"{here}/portraits/avatar", files={"file": ("x.jpg", b"no picture", "image/jpeg")})
        assert wrong.status_code == 415 and "This is not an image" in wrong.text
        assert (await browser.post(f"{here}/portraits/avatar", files={"file": ("", b"")})).status_code in {404, 422}
        assert (await browser.post(f"{here}/portraits/banner", files=photo)).status_code == 422
        assert (await browser.post(f"{here}/portraits/avatar", files={"remove": (None, "1")})).status_code == 303
        assert (await browser.post(f"{here}/business/removal")).status_code == 303
        own = await change(site, account)
        assert own["business"] is None and own["avatar"] is None
