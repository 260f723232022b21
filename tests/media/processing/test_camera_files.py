"""Files as cameras, phones and scanners write them: right colours, right way up, or refused by name."""

from __future__ import annotations

import asyncio
import io
import struct
from typing import Any, cast

import pillow_heif  # pyright: ignore[reportMissingTypeStubs]
import pytest
import pyvips
from PIL import Image, ImageCms

from tests.media.processing import bad_files as corpus
from vetrina.core.isolation.run import IsolatedRejected, Limits, run_isolated
from vetrina.media.processing.colour_conversion import icc_profile
from vetrina.media.processing.colour_tags import ADOBE_RGB
from vetrina.media.processing.dimensions import pixel_count
from vetrina.media.processing.file_types import detect_kind

GREEN = (60, 200, 90)
GREEN_FROM_ADOBE_RGB = (0, 201, 80)


def intake(data: bytes, *, heic: bool = True, memory: int = 1024) -> dict[str, Any]:
    payload = {"data": data, "heic": heic}
    return asyncio.run(run_isolated("vetrina.media.processing.images:intake", payload, limits=Limits(memory_mb=memory)))


def pixel(data: bytes, x: int = 9, y: int = 9) -> tuple[int, ...]:
    return tuple(round(value) for value in pyvips.Image.new_from_buffer(data, "")(x, y))


def close(seen: tuple[int, ...], expected: tuple[int, ...], tolerance: int = 4) -> bool:
    return len(seen) == len(expected) and all(abs(a - b) <= tolerance for a, b in zip(seen, expected, strict=True))


def heic(image: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    pillow_heif.from_pillow(image).save(file, quality=100, chroma=444, **options)
    return file.getvalue()


def tiff(image: pyvips.Image, **options: Any) -> bytes:
    return image.tiffsave_buffer(**options)


def plain(*colour: float, width: int = 64, height: int = 48) -> pyvips.Image:
    flat = (pyvips.Image.black(width, height, bands=len(colour)) + list(colour)).cast("uchar")
    return flat.copy(interpretation="srgb" if len(colour) > 2 else "b-w")


def halves(left: tuple[int, int, int], right: tuple[int, int, int]) -> Image.Image:
    image = Image.new("RGB", (64, 48), left)
    image.paste(right, (32, 0, 64, 48))
    return image


def test_heic_is_taken_where_the_operator_allows_heic():
    data = heic(Image.new("RGB", (640, 480), GREEN))
    assert detect_kind(data) == "HEIC" and pixel_count(data) == 640 * 480
    result = intake(data)
    assert (result["width"], result["height"]) == (640, 480) and close(pixel(result["data"]), GREEN)
    assert close(pixel(result["thumbnails"]["320"]["data"]), GREEN)
    with pytest.raises(IsolatedRejected, match=r"HEIC files are not taken. Taken are JPEG, PNG, WebP, AVIF and TIFF"):
        intake(data, heic=False)
    with pytest.raises(IsolatedRejected, match=r"GIF files are not taken. Taken are JPEG, PNG, WebP, AVIF, HEIC and TIFF"):
        intake(b"GIF89a" + bytes(64))


def test_heic_keeps_the_colours_of_its_profile():
    """As iPhones write it, whose pictures are in Display P3."""
    image = Image.new("RGB", (64, 48), GREEN)
    image.info["icc_profile"] = icc_profile(ADOBE_RGB)
    assert close(pixel(intake(heic(image))["data"]), GREEN_FROM_ADOBE_RGB)


def test_heic_is_upright_once():
    """The decoder applies the container's rotation; EXIF says the same once more and is not applied again."""
    image = halves((200, 10, 10), (10, 10, 200))
    exif = Image.Exif()
    exif[0x0112] = 6  # the top is on the right
    data = heic(image, exif=exif.tobytes())
    result = intake(data)
    assert (result["width"], result["height"]) == (48, 64)
    assert close(pixel(result["data"], 9, 9), (200, 10, 10), 12) and close(pixel(result["data"], 9, 54), (10, 10, 200), 12)


def test_heic_of_ten_bits_and_with_transparency():
    file = io.BytesIO()
    pixels = struct.pack("<3H", *(value * 257 for value in GREEN)) * 64 * 48
    pillow_heif.encode("RGB;16", (64, 48), pixels, file, quality=100)
    assert close(pixel(intake(file.getvalue())["data"]), GREEN)
    clear = Image.new("RGBA", (64, 48), (*GREEN, 0))
    clear.paste((200, 10, 10, 255), (0, 0, 32, 48))
    result = intake(heic(clear))
    assert close(pixel(result["data"], 9, 9), (200, 10, 10, 255), 12) and pixel(result["data"], 60, 9)[3] == 0


def test_bad_heic_is_refused():
    whole = heic(Image.frombytes("RGB", (160, 120), corpus.pixels_of(160, 120).write_to_memory()))
    for data in (whole[: len(whole) // 2], whole[:400], whole[:24] + bytes(4000)):
        with pytest.raises(IsolatedRejected) as refused:
            intake(data)
        assert refused.value.code == "damaged"
    with pytest.raises(IsolatedRejected) as refused:
        intake(whole[:8] + b"hevc" + whole[12:])
    assert refused.value.code == "animated"
    with pytest.raises(IsolatedRejected) as refused:
        intake(heic(Image.new("RGB", (14, 64), GREEN)))
    assert refused.value.code == "too_small"


def test_heic_of_a_phone_fits_into_the_memory_of_the_child():
    data = heic(Image.new("RGB", (4032, 3024), GREEN), enc_params={"preset": "ultrafast"})  # a photograph takes a minute
    result = intake(data, memory=700)
    assert (result["width"], result["height"]) == (4032, 3024) and result["mime"] in {"image/jpeg", "image/webp"}


@pytest.mark.parametrize("compression", ["none", "lzw", "deflate", "packbits", "jpeg"])
def test_tiff_is_taken(compression: str):
    picture = corpus.pixels_of(320, 240)
    data = tiff(picture, compression=compression, Q=95)
    assert detect_kind(data) == "TIFF"
    result = intake(data, heic=False)
    assert result["mime"] == "image/jpeg" and (result["width"], result["height"]) == (320, 240)
    assert (pyvips.Image.new_from_buffer(result["data"], "") - picture).abs().avg() < 4


def test_tiff_of_sixteen_bits_cmyk_and_profiles():
    deep = (plain(*GREEN).cast("ushort") * 257).cast("ushort").copy(interpretation="rgb16")
    assert close(pixel(intake(tiff(deep))["data"]), GREEN, 1)
    profiled = plain(*GREEN).copy()
    profiled.set_type(pyvips.GValue.blob_type, "icc-profile-data", cast(Any, icc_profile(ADOBE_RGB)))
    assert close(pixel(intake(tiff(profiled))["data"]), GREEN_FROM_ADOBE_RGB)
    printable = (120, 140, 110)
    inks = plain(*printable).icc_transform("cmyk", input_profile="srgb")
    assert close(pixel(intake(tiff(inks))["data"]), printable, 6)
    assert len(pixel(intake(tiff(plain(90)))["data"])) in (1, 3)


def test_tiff_with_transparency_and_further_channels():
    clear = plain(*GREEN, 0).copy(interpretation="srgb").insert(plain(200, 10, 10, 255), 0, 0)
    assert intake(tiff(clear))["mime"] in {"image/png", "image/jpeg"}
    masks = plain(*GREEN).bandjoin([255, 9, 17]).copy(interpretation="srgb")
    assert close(pixel(intake(tiff(masks))["data"])[:3], GREEN)


def test_tiff_is_upright():
    turned = plain(*GREEN, width=64, height=48).copy()
    turned.set_type(pyvips.GValue.gint_type, "orientation", 6)
    result = intake(tiff(turned))
    assert (result["width"], result["height"]) == (48, 64)


def test_tiff_of_several_pages_is_refused():
    pages = io.BytesIO()
    Image.new("RGB", (64, 48)).save(pages, "TIFF", save_all=True, append_images=[Image.new("RGB", (64, 48))])
    with pytest.raises(IsolatedRejected, match="This TIFF has 2 pages") as refused:
        intake(pages.getvalue())
    assert refused.value.code == "several_pages"


def directory(*tags: tuple[int, int, int]) -> bytes:
    """Return a TIFF of these tags (tag, type, value), little-endian."""
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + entries + bytes(4)


@pytest.mark.parametrize(
    "data",
    [
        directory((254, 4, 1), (256, 4, 160), (257, 4, 120)),
        directory((256, 4, 160), (257, 4, 120), (50706, 1, 0x0401)),
        directory((256, 4, 160), (262, 3, 32803)),
        directory((256, 4, 160), (271, 2, 0), (330, 4, 90)),
        b"II*\0\x10\0\0\0CR\x02\0" + bytes(64),
    ],
    ids=["preview", "dng", "sensor", "nikon", "canon"],
)
def test_raw_files_are_refused_by_name_and_not_by_their_preview(data: bytes):
    assert detect_kind(data) == "Camera raw"
    with pytest.raises(IsolatedRejected, match="Camera raw files are not taken"):
        intake(data)


def test_jpeg_with_further_pictures_gives_the_first():
    """MPO of stereo cameras, and the gain map that phones append: the main picture is what programs show."""
    first, second = (Image.new("RGB", (64, 48), colour) for colour in (GREEN, (200, 10, 10)))
    stereo = io.BytesIO()
    first.save(stereo, "MPO", save_all=True, append_images=[second], quality=95)
    gain_map = io.BytesIO()
    Image.new("L", (32, 24), 128).save(gain_map, "JPEG")
    main = io.BytesIO()
    first.save(main, "JPEG", quality=95, icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for data in (stereo.getvalue(), main.getvalue() + gain_map.getvalue()):
        result = intake(data)
        assert (result["width"], result["height"]) == (64, 48) and close(pixel(result["data"]), GREEN)
        assert result["data"].count(b"\xff\xd8\xff") == 1, "the second picture is not kept"
