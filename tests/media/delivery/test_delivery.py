"""Delivery by links: signed ones until they expire, public files for everyone, others refused."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
import pyvips

from tests.factories import Account, Make
from tests.media.processing import bad_files as corpus
from tests.server import Site
from vetrina.core.database.ids import new_id
from vetrina.core.storage.store import LINK_STEP
from vetrina.media.files import actions
from vetrina.media.links import LINK_SECONDS
from vetrina.media.model import FileRow


async def kept(
    site: Site, account: Account, data: bytes | None = None, *, name: str = "cup.jpg", public: bool = False
) -> FileRow:
    prepared = await actions.prepare(site.services, account.id, data or corpus.photograph(800, 600))
    async with site.services.db.tx() as tx:
        return await actions.insert(tx, account.id, prepared, "product_image", name, is_public=public)


def path_of(row: FileRow, variant: str = "original") -> str:
    return f"/media/{row.account_id}/{row.id}/{variant}"


def signed(site: Site, path: str, *, at: float | None = None) -> str:
    return f"{path}?{site.services.links.sign(path, LINK_SECONDS, now=at)}"


@pytest.mark.parametrize("variant", ["original", "320", "640", "1280"])
async def test_signed_link_returns_its_variant_privately(site: Site, make: Make, variant: str):
    row = await kept(site, await make.account(), corpus.oriented(6))
    answer = await site.client.get(signed(site, path_of(row, variant)))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == ("image/jpeg" if variant == "original" else "image/webp")
    assert answer.headers["x-content-type-options"] == "nosniff"
    life = re.fullmatch(r"private, max-age=(\d+), immutable", answer.headers["cache-control"])
    assert life and LINK_SECONDS - 5 <= int(life[1]) <= LINK_SECONDS + LINK_STEP
    assert "set-cookie" not in answer.headers
    for word in corpus.GPS_WORDS:
        assert word not in answer.content
    assert pyvips.Image.new_from_buffer(answer.content, "").width <= 400


async def test_signed_link_ends_with_the_deletion_and_works_again_after_the_restoration(site: Site, make: Make):
    account = await make.account()
    row = await kept(site, account)
    urls = [signed(site, path_of(row, variant)) for variant in ("original", "320")]
    async with site.api(account) as api:
        assert [(await site.client.get(url)).status_code for url in urls] == [200, 200]
        assert (await api.delete(f"/files/{row.id}")).status_code == 204
        for headers in ({}, {"If-None-Match": f'"{row.id.hex}-320"'}, {"Range": "bytes=0-9"}):
            assert [(await site.client.get(url, headers=headers)).status_code for url in urls] == [404, 404]
        assert (await api.post(f"/files/{row.id}/restoration")).status_code == 201
        assert [(await site.client.get(url)).status_code for url in urls] == [200, 200]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda url: url[:-1] + ("A" if url[-1] != "A" else "B"),
        lambda url: re.sub(r"expires=(\d+)", lambda result: f"expires={int(result[1]) + LINK_STEP}", url),
        lambda url: url.replace("/320?", "/original?"),
        lambda url: re.sub(r"signature=.*", "signature=", url),
        lambda url: re.sub(r"expires=\d+&", "", url),
        lambda url: url + "&expires=99999999999",
    ],
    ids=["signature", "expiry", "variant", "empty", "forever", "twice"],
)
async def test_tampered_link_is_refused(site: Site, make: Make, spoil: Callable[[str], str]):
    url = signed(site, path_of(await kept(site, await make.account()), "320"))
    assert (await site.client.get(url)).status_code == 200
    answer = await site.client.get(spoil(url))
    assert answer.status_code == 403
    assert not answer.headers["content-type"].startswith("image/")


async def test_link_expires_and_is_bound_to_its_file(site: Site, make: Make):
    account = await make.account()
    row, other = await kept(site, account), await kept(site, account)
    old = signed(site, path_of(row), at=time.time() - LINK_SECONDS - LINK_STEP)
    assert (await site.client.get(old)).status_code == 403
    query = signed(site, path_of(row)).partition("?")[2]
    assert (await site.client.get(f"{path_of(other)}?{query}")).status_code == 403
    # a missing file gets the same answer: the link reveals nothing
    nothing = f"/media/{account.id}/{new_id()}/original"
    assert (await site.client.get(f"{nothing}?{query}")).status_code == 403
    assert (await site.client.get(signed(site, nothing))).status_code == 404


async def test_unsigned_link_returns_only_public_files(site: Site, make: Make):
    account = await make.account()
    row = await kept(site, account)
    assert (await site.client.get(path_of(row))).status_code == 404
    async with site.browser(account) as browser:  # for other signed-in accounts too
        assert (await browser.get(path_of(row))).status_code == 404
    async with site.api(account) as api:
        file = (await api.patch(f"/files/{row.id}", json={"is_public": True})).json()
        assert file["url"] == path_of(row)
        answer = await site.client.get(file["url"])
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "public, max-age=300")
        assert (await site.client.get(file["thumbnail_url"])).status_code == 200
        expired = signed(site, path_of(row), at=time.time() - 10**6)
        assert (await site.client.get(expired)).status_code == 200
        await api.patch(f"/files/{row.id}", json={"is_public": False})
        assert (await site.client.get(path_of(row))).status_code == 404


async def test_matching_etag_returns_304(site: Site, make: Make):
    url = signed(site, path_of(await kept(site, await make.account()), "640"))
    tag = (await site.client.get(url)).headers["etag"]
    for given in (tag, f'"else", {tag}', f"W/{tag}", "*"):
        again = await site.client.get(url, headers={"If-None-Match": given})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert (await site.client.get(url, headers={"If-None-Match": '"else"'})).status_code == 200
    spoiled = await site.client.get(url[:-2], headers={"If-None-Match": tag})
    assert spoiled.status_code == 403


@pytest.mark.parametrize(
    ("name", "plain", "full"),
    [
        ("cup.jpg", "cup.jpg", "cup.jpg"),
        ("Caffè è.PNG", "Caff_ _.jpg", "Caff%C3%A8%20%C3%A8.jpg"),
        ('a"; x="\r\nSet-Cookie: b.jpeg', "a_; x=_Set-Cookie: b.jpeg", "a%22%3B%20x%3D%22Set-Cookie%3A%20b.jpeg"),
        ("notes", "notes.jpg", "notes.jpg"),
        ("v1.2", "v1.2.jpg", "v1.2.jpg"),
    ],
)
async def test_download_has_the_file_name(site: Site, make: Make, name: str, plain: str, full: str):
    row = await kept(site, await make.account(), name=name)
    url = signed(site, path_of(row))
    assert "content-disposition" not in (await site.client.get(url)).headers
    answer = await site.client.get(url + "&download=1")
    given = answer.headers["content-disposition"]
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert given == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{full}"


@pytest.mark.parametrize("variant", ["321", "0", "original.jpg", "..%2f..", "%2e%2e", "original%00", "99999"])
async def test_unknown_variant_is_not_found(site: Site, make: Make, variant: str):
    row = await kept(site, await make.account(), public=True)
    assert (await site.client.get(path_of(row, variant))).status_code == 404
    assert (await site.client.get(f"/media/{row.account_id}/{row.id}/../../original")).status_code == 404


async def test_large_image_is_streamed(site: Site, make: Make):
    row = await kept(site, await make.account(), corpus.photograph(4000, 3000), public=True)
    assert row.bytes > 2_000_000
    pieces = 0
    async with site.client.stream("GET", path_of(row)) as answer:
        total = 0
        async for piece in answer.aiter_raw():
            total += len(piece)
            pieces += 1
    assert total == row.bytes == int(answer.headers["content-length"])
    assert pieces > 4
    assert await actions.read(site.services, row.account_id, row.id) == (await site.client.get(path_of(row))).content  # type: ignore[arg-type]
