"""Sample photographs: real files in the library that take no upload of the plan's month, with and without scripts."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image

from tests.factories import Make
from tests.server import Site
from tests.studio.helpers import wish
from vetrina.media.sample_photographs import SAMPLES
from vetrina.wallet.model import Asset


def test_every_sample_may_be_used_for_anything() -> None:
    """What is made from a sample can be shared without a credit."""
    assert {sample.licence for sample in SAMPLES.values()} <= {"CC0 1.0", "public domain"}


@pytest.mark.parametrize("name", SAMPLES)
async def test_sample_is_a_file_that_takes_no_upload(site: Site, make: Make, name: str) -> None:
    account = await make.account(tokens=0)
    before = await make.balance(account, Asset.IMAGE_SLOT)
    assert before[0] > 0
    async with site.api(account) as api:
        answer = await api.post(f"/samples/{name}")
        assert answer.status_code == 201, answer.text
        file = answer.json()
        assert file["category"] == f"{SAMPLES[name].role}_image"
        again = await api.post(f"/samples/{name}")
        assert again.json()["id"] == file["id"]
        assert (await api.get("/files/usage")).json()["files"] == 1
        data = await site.client.get(file["url"])
    with Image.open(SAMPLES[name].path) as original, Image.open(io.BytesIO(data.content)) as stored:
        assert stored.size == original.size
    assert await make.balance(account, Asset.IMAGE_SLOT) == before


async def test_sample_is_added_when_the_uploads_are_used_up(site: Site, make: Make) -> None:
    account = await make.account(tokens=0)
    async with site.api(account) as api:
        photo = {"file": ("coffee.jpg", SAMPLES["coffee"].path.read_bytes(), "image/jpeg")}
        for _ in range((await make.balance(account, Asset.IMAGE_SLOT))[0]):
            assert (await api.post("/files", data={"category": "product_image"}, files=photo)).status_code == 201
        assert (await api.post("/files", data={"category": "product_image"}, files=photo)).status_code == 402
        assert (await api.post("/samples/cat")).status_code == 201
        assert (await api.post("/samples/nothing")).status_code == 404


async def test_samples_are_offered_until_there_is_a_picture(site: Site, make: Make) -> None:
    """The forms as a browser without scripts sends them."""
    account = await make.account(tokens=3)
    async with site.browser(account) as browser:
        for path in ("/library", "/studio"):
            page = (await browser.get(path)).text
            assert "Try it with a sample photograph" in page and page.count('class="sample"') == len(SAMPLES), path
            for address in re.findall(r'src="(/static/[^"]*sample-[^"]*)"', page):
                assert (await browser.get(address)).status_code == 200
        added = await browser.post("/library/samples", data={"sample": "coffee"})
        assert added.status_code == 303
        studio = (await browser.get(added.headers["location"])).text
        assert "The sample photograph is in your library." in studio
        assert re.search(r'name="product_files" value="[^"]+" checked', studio)
        for path in ("/library", "/studio"):
            assert "Try it with a sample photograph" not in (await browser.get(path)).text
        assert (await browser.post("/library/samples", data={"sample": "nothing"})).status_code == 404


async def test_sample_in_the_studio_keeps_what_was_entered(site: Site, make: Make) -> None:
    account = await make.account(tokens=3)
    async with site.browser(account) as browser, site.api(account) as api:
        form = {"style": "linocut", "prompt": "A cat by the sea", "seed": "7", "sample": "cat", "asset": "token"}
        files = {"product_upload": ("", b"", "application/octet-stream")}
        answer = await browser.post("/studio/samples", data=form, files=files)
        assert answer.headers["location"] == "/studio"
        draft = (await api.get("/studio/draft")).json()
        assert draft["style_name"] == "linocut" and draft["prompt"] == "A cat by the sea" and draft["seed"] == 7
        (chosen,) = draft["model_files"]
        started = await api.post("/generations", json={**wish(chosen), "product_files": [], "model_files": [chosen]})
        assert started.status_code == 201, started.text
        page = (await browser.get(f"/library/{chosen}")).text
        assert "Stéfan van der Walt, CC0 1.0" in page
