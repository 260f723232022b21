"""The intake: bad files are rejected with their code, good ones become upright sRGB without metadata."""

from __future__ import annotations

import asyncio
import hashlib
import resource
import sys
from collections.abc import Callable
from typing import Any

import pytest
import pyvips

from tests.media.processing import bad_files as corpus
from vetrina.core.isolation.run import IsolatedOutOfMemory, IsolatedRejected, IsolatedTimeout, Limits, Report, run_isolated
from vetrina.media.processing import images as pixels
from vetrina.media.processing.file_types import detect_kind

MEMORY_MB = 1024


def intake_with_memory(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Run the intake in the child; add its peak resident memory (MiB) to the result."""
    result = pixels.intake(payload, report)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return result | {"resident_mb": most / (1 << 20 if sys.platform == "darwin" else 1 << 10)}


def intake(data: bytes, **options: Any) -> dict[str, Any]:
    return asyncio.run(
        run_isolated(f"{__name__}:intake_with_memory", {"data": data, **options}, limits=Limits(memory_mb=MEMORY_MB))
    )


def decode(data: bytes) -> pyvips.Image:
    return pyvips.Image.new_from_buffer(data, "")


def difference(one: pyvips.Image, other: pyvips.Image) -> float:
    """The mean difference of two pictures of one size, in 255ths."""
    return (one[:3] - other[:3]).abs().avg()


@pytest.mark.parametrize(("make", "code"), corpus.REFUSED.items(), ids=lambda item: getattr(item, "__name__", item))
def test_bad_file_is_rejected_with_its_code(make: Callable[[], bytes], code: str):
    with pytest.raises(IsolatedRejected) as refused:
        intake(make())
    assert refused.value.code == code
    assert refused.value.message.endswith(".")


def test_refusal_names_the_accepted_formats():
    with pytest.raises(IsolatedRejected, match=r"GIF files are not taken. Taken are JPEG, PNG, WebP, AVIF and TIFF"):
        intake(corpus.gif_bomb())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_output_is_upright_without_metadata(orientation: int):
    data = corpus.oriented(orientation)
    assert b"GPS" in data or b"Exif" in data
    result = intake(data)
    assert (result["width"], result["height"]) == (400, 300)
    assert difference(decode(result["data"]), corpus.pixels_of(400, 300)) < 3
    small = decode(result["thumbnails"]["320"]["data"])
    assert difference(small, corpus.pixels_of(400, 300).thumbnail_image(320)) < 4
    assert_clean(result)


@pytest.mark.parametrize(
    ("make", "mime", "tolerance"),
    [
        (corpus.cmyk_jpeg, "image/jpeg", 14),  # ink cannot hold every green of the meadow
        (corpus.wide_gamut_jpeg, "image/jpeg", 4),
        (corpus.grey_jpeg, "image/jpeg", None),
        (corpus.huge_profile_jpeg, "image/jpeg", 4),
        (corpus.jpeg_and_page, "image/jpeg", 4),
        (corpus.jpeg_and_zip, "image/jpeg", 4),
        (corpus.ultra_hdr_jpeg, "image/jpeg", None),
        (corpus.progressive_jpeg, "image/jpeg", None),
        (corpus.deep_png, "image/png", None),
        (corpus.text_bomb_png, "image/png", None),
        (corpus.flat_png, "image/png", None),
    ],
)
def test_unusual_valid_files_become_srgb(make: Callable[[], bytes], mime: str, tolerance: float | None):
    data = make()
    result = intake(data)
    image = decode(result["data"])
    assert result["mime"] == mime
    assert (image.interpretation, image.format) == ("srgb", "uchar")
    assert image.bands == (4 if decode(data).hasalpha() else 3)
    if tolerance is not None:
        assert difference(image, corpus.pixels_of(400, 300)) < tolerance
    assert_clean(result)
    assert result["resident_mb"] < 250


def test_polyglot_keeps_only_the_image():
    for data in (corpus.jpeg_and_page(), corpus.jpeg_and_zip()):
        result = intake(data)
        for word in (b"<script", b"<html", b"PK\x03\x04", b"PK\x05\x06", b"run.sh"):
            assert word not in result["data"]


def test_avif_and_webp_are_accepted():
    picture = corpus.pixels_of(400, 300)
    for data in (picture.heifsave_buffer(compression="av1", effort=0, Q=80), picture.webpsave_buffer(Q=90)):
        result = intake(data)
        assert result["mime"] in {"image/jpeg", "image/webp"}
        assert difference(decode(result["data"]), picture) < 5


def test_alpha_and_visible_pixels_are_exact():
    picture = corpus.cut_out(600, 450)
    result = intake(picture.pngsave_buffer())
    assert result["mime"] == "image/png"
    stored = decode(result["data"])
    assert (stored[3] - picture[3]).abs().max() == 0
    assert ((stored - picture).abs() * (picture[3] > 0)).max() == 0
    assert decode(result["thumbnails"]["320"]["data"]).hasalpha()


def test_opaque_alpha_channel_is_dropped():
    result = intake(corpus.pixels_of(800, 600).bandjoin(255).pngsave_buffer())
    assert result["mime"] == "image/jpeg"


def test_flat_artwork_stays_png_and_photographs_become_jpeg():
    art = corpus.flat_png()
    assert (decode(intake(art)["data"]) - decode(art)).abs().max() == 0
    assert intake(corpus.pixels_of(800, 600).pngsave_buffer())["mime"] == "image/jpeg"


def test_twelve_megapixel_photograph_has_all_outputs():
    data = corpus.photograph(4000, 3000)
    result = intake(data, thumbnails=[640, 320, 1280])
    assert (result["width"], result["height"], result["mime"]) == (4000, 3000, "image/jpeg")
    assert result["bytes"] == len(result["data"])
    assert result["sha256"] == hashlib.sha256(result["data"]).hexdigest()
    assert difference(decode(result["data"]), corpus.pixels_of(4000, 3000)) < 3
    for size in (320, 640, 1280):
        small = result["thumbnails"][str(size)]
        assert (small["mime"], small["width"], small["height"]) == ("image/webp", size, size * 3 // 4)
        assert difference(decode(small["data"]), corpus.pixels_of(4000, 3000).thumbnail_image(size)) < 4
        assert len(small["data"]) < size * size * 3 // 8
    assert result["resident_mb"] < 250


def test_small_images_are_not_enlarged():
    result = intake(corpus.photograph(400, 600))
    sizes = [(small["width"], small["height"]) for small in result["thumbnails"].values()]
    assert sizes == [(400, 600), (400, 600), (213, 320)]


def test_dominant_colour_is_the_most_frequent():
    assert intake(corpus.flat_png())["colour"] == "#f0c828"
    clear = corpus.pixels_of(100, 100).bandjoin(0).pngsave_buffer()
    assert intake(clear)["colour"] == "#ffffff"


def test_largest_accepted_image_needs_bounded_memory():
    whole = corpus.pixels_of(7300, 5475)
    for data in (
        whole.jpegsave_buffer(Q=80, interlace=True),
        whole.heifsave_buffer(compression="av1", effort=0, Q=40),
    ):
        result = intake(data)
        assert result["width"] == 7300
        assert result["resident_mb"] < MEMORY_MB


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux only")
def test_resource_limits_are_not_reported_as_damage():
    whole = corpus.pixels_of(7300, 5475)
    little = Limits(memory_mb=150)
    for data in (
        whole.jpegsave_buffer(Q=80, interlace=True),
        whole.webpsave_buffer(effort=0),
        whole.heifsave_buffer(compression="av1", effort=0, Q=40),
    ):
        with pytest.raises(IsolatedOutOfMemory):
            asyncio.run(run_isolated("vetrina.media.processing.images:intake", {"data": data}, limits=little))
    with pytest.raises(IsolatedTimeout):
        asyncio.run(
            run_isolated(
                "vetrina.media.processing.images:intake",
                {"data": corpus.photograph(4000, 3000)},
                limits=Limits(seconds=0.1),
            )
        )


def test_thumbnail_equals_that_of_libvips():
    data = corpus.photograph(4000, 3000)
    completed = asyncio.run(run_isolated("vetrina.media.processing.images:thumbnail", {"data": data, "size": 320}))
    plain = pyvips.Image.thumbnail_buffer(data, 320, height=320, size="down", output_profile="srgb")
    assert completed["data"] == pixels.encode_thumbnail(plain)
    assert (completed["width"], completed["height"]) == (320, 240)


def test_thumbnail_of_a_bad_file_is_rejected():
    for make, code in ((corpus.png_400_megapixels, "too_many_pixels"), (corpus.truncated_jpeg, "damaged")):
        with pytest.raises(IsolatedRejected) as refused:
            asyncio.run(run_isolated("vetrina.media.processing.images:thumbnail", {"data": make(), "size": 320}))
        assert refused.value.code == code


@pytest.mark.parametrize("length", [1, 3, 11, 12, 15, 16, 20, 21, 24])
@pytest.mark.parametrize("make", [corpus.photograph, corpus.flat_png, corpus.heic_header, corpus.webp_of_268_megapixels])
def test_tiny_files_are_rejected_without_a_crash(make: Callable[[], bytes], length: int):
    with pytest.raises(IsolatedRejected) as refused:
        intake(make()[:length])
    assert refused.value.code in {"not_an_image", "damaged", "format_not_taken"}


def test_kinds_are_detected_by_content():
    assert detect_kind(b"\xef\xbb\xbf  <?xml version='1.0'?><!-- x --><svg>") == "SVG"
    assert detect_kind(b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avifmiaf") == "AVIF"
    assert detect_kind(b"<?xml version='1.0'?><feed/>") is None


def assert_clean(result: dict[str, Any]) -> None:
    """No metadata, by its marks in the bytes and by what a decoder finds."""
    for data in (result["data"], *(small["data"] for small in result["thumbnails"].values())):
        assert not [word for word in corpus.GPS_WORDS if word in data]
        fields = set(decode(data).get_fields())
        assert not {item for item in fields if item.startswith(("exif", "xmp", "iptc", "icc", "png-comment"))}
        assert "orientation" not in fields
