"""Removing the background: seen before it is paid, made with transparency, refused where it is doubtful."""

from __future__ import annotations

import asyncio
import base64

import pytest
import pyvips

from tests.factories import Make
from tests.server import Site
from tests.studio.helpers import ended, upload
from vetrina.clients.engines.cutting import render
from vetrina.clients.engines.cutting.catalogue import REMOVE_BACKGROUND, preview_path
from vetrina.clients.engines.networks.models import read_all
from vetrina.core.isolation.run import Reject
from vetrina.core.services import Services
from vetrina.demo.photos import path_of


def plain() -> bytes:
    """An even grey square: nothing is in it."""
    return (pyvips.Image.black(400, 300, bands=3) + 128).cast("uchar").copy(interpretation="srgb").jpegsave_buffer()


def payload(data: bytes, file_format: str = "png") -> dict[str, object]:
    parameters = {"format": file_format, "margin": 0.1, "size": 480}
    return {"products": [data], "models": [], "parameters": parameters, "seed": 7, "networks": read_all(), "data": data}


def test_cut_out_is_transparent_around_the_subject():
    for file_format, loader in (("png", "pngload_buffer"), ("webp", "webpload_buffer")):
        result = render.render(payload(path_of("fig_bowl").read_bytes(), file_format), lambda fraction, step: None)
        image = pyvips.Image.new_from_buffer(result["images"][0], "")
        assert image.get("vips-loader") == loader and image.bands == 4
        assert image.getpoint(0, 0) == [0, 0, 0, 0]
        assert image.getpoint(image.width // 2, image.height // 2)[3] > 250
        share = (image[3] > 128).ifthenelse(1, 0).avg()
        assert 0.2 < share < 0.8, share


def test_same_photograph_gives_the_same_bytes():
    first, second = (render.render(payload(path_of("coffee").read_bytes()), lambda fraction, step: None) for _ in range(2))
    assert first["images"] == second["images"]


def test_photograph_without_subject_is_refused():
    with pytest.raises(Reject, match="No distinct subject"):
        render.render(payload(plain()), lambda fraction, step: None)
    assert render.preview(payload(plain()), lambda fraction, step: None) == {"image": b"", "doubtful": True}


def test_style_has_a_small_preview():
    tile = pyvips.Image.new_from_file(str(preview_path(REMOVE_BACKGROUND)))
    assert (tile.width, tile.height) == (480, 600) and preview_path(REMOVE_BACKGROUND).stat().st_size < 60_000


async def test_cut_out_is_previewed_free_and_costs_a_token(site: Site, worker: Services, make: Make):
    account = await make.account(tokens=2)
    async with site.api(account) as api:
        model = await upload(api, "model_image", "fig_bowl")
        seen = (await api.get(f"/files/{model}/cutout")).json()
        small = pyvips.Image.new_from_buffer(base64.b64decode(seen["image"]), "")
        assert not seen["doubtful"] and small.bands == 4 and max(small.width, small.height) <= 600
        assert await make.balance(account) == (2, 0)
        async with site.browser(account) as browser:
            assert f"/studio/cutouts/{model}" in (await browser.get(f"/library/{model}")).text
            page = await browser.get(f"/studio/cutouts/{model}")
            assert "data:image/webp;base64," in page.text and "Remove for 1 token" in page.text
            sent = await browser.post(f"/studio/cutouts/{model}", data={"format": "png"})
            assert sent.status_code == 303, sent.text
        done = await ended(api, sent.headers["location"].rpartition("/")[2])
        [result] = done["result_files"]
        assert (done["status"], done["style_name"], result["mime"]) == ("completed", REMOVE_BACKGROUND, "image/png")
        credentials = (await api.get(f"/files/{result['id']}/credentials")).json()
    assert (credentials["state"], credentials["engine"], credentials["source_type"]) == ("valid", "cutting", "composite")
    assert await make.balance(account) == (1, 0)


async def test_doubt_appears_before_anything_is_charged(site: Site, worker: Services, make: Make):
    account = await make.account(tokens=1)
    async with site.api(account) as api:
        sent = await api.post("/files", data={"category": "product_image"}, files={"file": ("grey.jpg", plain(), "image/jpeg")})
        grey = sent.json()["id"]
        assert (await api.get(f"/files/{grey}/cutout")).json() == {"image": "", "doubtful": True}
        async with site.browser(account) as browser:
            page = await browser.get(f"/studio/cutouts/{grey}")
        assert "This picture cannot be cut out" in page.text and "Remove for" not in page.text
        wish = {"style_name": REMOVE_BACKGROUND, "product_files": [grey]}
        failed = await ended(api, (await api.post("/generations", json=wish)).json()["id"])
    assert (failed["status"], failed["error_code"]) == ("failed", "engine-refused")
    assert await make.balance(account) == (1, 0)


async def test_token_of_an_unwanted_result_is_returned_once(site: Site, worker: Services, make: Make):
    account = await make.account(tokens=3)
    async with site.api(account) as api:
        product = await upload(api, photo="fig_bowl")
        wish = {"style_name": REMOVE_BACKGROUND, "product_files": [product]}
        runs = [await ended(api, (await api.post("/generations", json=wish)).json()["id"]) for _ in range(2)]
        assert await make.balance(account) == (1, 0)
        async with site.browser(account) as browser:
            assert "Not what I wanted" in (await browser.get(f"/studio/generations/{runs[0]['id']}")).text
        answers = await asyncio.gather(*(api.post(f"/generations/{run['id']}/return") for run in runs))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        left = [await api.get(f"/files/{run['result_files'][0]['id']}") for run in runs]
        assert sorted(answer.status_code for answer in left) == [200, 404]
        assert [(await api.post(f"/generations/{run['id']}/return")).status_code for run in runs] == [409, 409]
        other = (await api.post("/generations", json={"style_name": "poster", "product_files": [product]})).json()
        assert (await api.post(f"/generations/{other['id']}/return")).status_code == 409
        await ended(api, other["id"])
    assert await make.balance(account) == (1, 0)
    await make.books()
