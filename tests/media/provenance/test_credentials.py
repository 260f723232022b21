"""Content Credentials: signed into a generated picture, read back, and what breaks them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.factories import Make
from tests.media.processing import bad_files as corpus
from tests.server import Site
from tests.studio.helpers import ended, upload, wish
from vetrina.core.services import Services
from vetrina.core.settings.environment import BadSetting, Settings
from vetrina.media.files import intake
from vetrina.media.provenance import certificate as certificates
from vetrina.media.provenance.model import Ingredient, Origin, Provenance, Source
from vetrina.media.provenance.reading import read
from vetrina.media.provenance.signing import sign

PHOTO = corpus.photograph(400, 300)


@pytest.fixture
def own(tmp_path: Path) -> certificates.Certificate:
    """A site's certificate."""
    return certificates.certificate(Settings(data=tmp_path, public_url="https://studio.example"))


def origin(*sources: bytes) -> Origin:
    return Origin("builtin", "pencil", "algorithmicMedia", [Source("product", data) for data in sources])


async def test_signed_file_names_its_origin(own: certificates.Certificate):
    signed = sign(PHOTO, "image/jpeg", origin(PHOTO), own)
    assert 0 < len(signed) - len(PHOTO) < 8_000  # no thumbnail inside
    provenance = await read(signed, own)
    assert provenance == Provenance(
        state="valid",
        own=True,
        software=provenance.software,
        engine="builtin",
        style="pencil",
        source_type="algorithmicMedia",
        ingredients=[Ingredient("product", hashlib.sha256(PHOTO).hexdigest())],
        signed_by="studio.example",
    )
    assert provenance.software.startswith("Vetrina ")


async def test_pixels_do_not_change(own: certificates.Certificate):
    import pyvips

    signed = sign(PHOTO, "image/jpeg", origin(), own)
    before, after = (pyvips.Image.new_from_buffer(data, "") for data in (PHOTO, signed))
    assert (before - after).abs().max() == 0


async def test_changed_byte_is_noticed(own: certificates.Certificate):
    signed = bytearray(sign(PHOTO, "image/jpeg", origin(), own))
    signed[-500] ^= 1
    provenance = await read(bytes(signed), own)
    assert provenance.state == "invalid"
    assert [problem.code for problem in provenance.problems] == ["assertion.dataHash.mismatch"]


async def test_certificate_of_another_site_is_not_own(own: certificates.Certificate, tmp_path: Path):
    # of the same name: only the certificate itself counts
    other = certificates.certificate(Settings(data=tmp_path / "other", public_url="https://studio.example"))
    signed = sign(PHOTO, "image/jpeg", origin(), other)
    provenance = await read(signed, own)
    assert (provenance.state, provenance.own, provenance.signed_by) == ("valid", False, "studio.example")
    assert not (await read(signed, None)).own


async def test_intake_of_signed_file_leaves_none(own: certificates.Certificate):
    result = await intake.run(sign(PHOTO, "image/jpeg", origin(), own), heic=False)
    assert (await read(result["data"], own)).state == "none"
    assert [(await read(item["data"], own)).state for item in result["thumbnails"].values()] == ["none"] * 3


async def test_ingredient_hands_its_credentials_on(own: certificates.Certificate):
    first = sign(PHOTO, "image/jpeg", origin(), own)
    second = sign(PHOTO, "image/jpeg", origin(first), own)
    assert (await read(second, own)).ingredients == [Ingredient("product", hashlib.sha256(first).hexdigest())]
    assert len(second) > len(sign(PHOTO, "image/jpeg", origin(PHOTO), own)) + 2_000


def test_certificate_is_created_once_and_closed_to_others(tmp_path: Path):
    settings = Settings(data=tmp_path)
    assert certificates.existing(settings) is None
    first = certificates.certificate(settings)
    assert certificates.certificate(settings) == first
    assert (tmp_path / certificates.FILE).stat().st_mode & 0o777 == 0o600


def test_operators_file_is_used_and_checked(tmp_path: Path):
    certificates.certificate(Settings(data=tmp_path))
    file = tmp_path / certificates.FILE
    settings = replace(Settings(data=tmp_path / "empty"), credentials_file=str(file))
    assert certificates.certificate(settings).subject == "127.0.0.1"
    certificates.certificate(Settings(data=tmp_path / "other"))
    key, _, _ = (tmp_path / "other" / certificates.FILE).read_text().partition("-----BEGIN CERTIFICATE-----")
    file.write_text(key + file.read_text()[file.read_text().index("-----BEGIN CERTIFICATE-----") :])
    with pytest.raises(BadSetting, match="belongs to another key"):
        certificates.certificate(settings)
    file.write_text("nothing")
    with pytest.raises(BadSetting, match="no usable key"):
        certificates.certificate(settings)


async def test_generated_picture_carries_credentials(site: Site, worker: Services, make: Make):
    account = await make.account(tokens=3)
    async with site.api(account) as api:
        product = await upload(api)
        generation = (await api.post("/generations", json=wish(product, seed=3))).json()
        [result] = (await ended(api, generation["id"]))["result_files"]
        credentials = (await api.get(f"/files/{result['id']}/credentials")).json()
        source = (await site.client.get((await api.get(f"/files/{product}")).json()["url"])).content
        downloaded = (await site.client.get(result["url"])).content
        plain = (await api.get(f"/files/{product}/credentials")).json()
    assert (credentials["state"], credentials["own"], credentials["engine"]) == ("valid", True, "builtin")
    assert credentials["source_type"] == "algorithmicMedia"
    assert credentials["ingredients"] == [{"role": "product", "sha256": hashlib.sha256(source).hexdigest()}]
    assert (await read(downloaded, None)).state == "valid"
    assert plain["state"] == "none"
    async with site.browser(account) as browser:
        page = await browser.get(f"/library/{result['id']}/origin")
        assert page.status_code == 200 and "unchanged since it was signed" in page.text
        assert f"/library/{result['id']}/origin" in (await browser.get(f"/library/{result['id']}")).text
        assert "carries no Content Credentials" in (await browser.get(f"/library/{product}/origin")).text


def test_command_verifies_a_file(own: certificates.Certificate, tmp_path: Path):
    def verify(name: str, data: bytes, *options: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / name).write_bytes(data)
        command = [sys.executable, "-m", "vetrina", "media", "verify", str(tmp_path / name), *options]
        environment = {"PATH": "/usr/bin", "PYTHONPATH": ":".join(sys.path), "VETRINA_DATA": str(tmp_path)}
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    signed = sign(PHOTO, "image/jpeg", origin(PHOTO), own)
    good = verify("good.jpg", signed)
    assert good.returncode == 0, good.stderr
    assert "Valid, untrusted" in good.stdout and "studio.example, this site" in good.stdout
    assert json.loads(verify("good.jpg", signed, "--json").stdout)["own"] is True
    assert verify("none.jpg", PHOTO).returncode == 1
    assert verify("bad.jpg", signed[:-500] + b"\x00" + signed[-499:]).returncode == 1
