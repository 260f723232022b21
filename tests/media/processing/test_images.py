"""The intake: every bad file is refused by its own code, every good one leaves clean, upright and small."""

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


def weighed(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """The intake, in the child, with the most memory that it had resident (MiB)."""
    result = pixels.intake(payload, report)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return result | {"resident_mb": most / (1 << 20 if sys.platform == "darwin" else 1 << 10)}


def take_in(data: bytes, **options: Any) -> dict[str, Any]:
    return asyncio.run(
        run_isolated(f"{__name__}:weighed", {"data": data, **options}, limits=Limits(memory_mb=MEMORY_MB))
    )


def opened(data: bytes) -> pyvips.Image:
    return pyvips.Image.new_from_buffer(data, "")


def difference(one: pyvips.Image, other: pyvips.Image) -> float:
    """The mean difference of two pictures of one size, in 255ths."""
    return (one[:3] - other[:3]).abs().avg()


@pytest.mark.parametrize(
    ("make", "code"), corpus.REFUSED.items(), ids=lambda each: getattr(each, "__name__", each)
)
def test_what_is_no_good_picture_is_refused_by_its_own_code(make: Callable[[], bytes], code: str):
    with pytest.raises(IsolatedRejected) as refused:
        take_in(make())
    assert refused.value.code == code
    assert refused.value.message.endswith(".")


def test_the_formats_taken_are_said_when_another_is_refused():
    with pytest.raises(IsolatedRejected, match="GIF files are not taken. Taken are JPEG, PNG, WebP and AVIF"):
        take_in(corpus.gif_bomb())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_leaves_upright_without_a_trace_of_where_it_was_taken(orientation: int):
    data = corpus.oriented(orientation)
    assert b"GPS" in data or b"Exif" in data
    result = take_in(data)
    assert (result["width"], result["height"]) == (400, 300)
    assert difference(opened(result["data"]), corpus.pixels_of(400, 300)) < 3
    small = opened(result["thumbnails"]["320"]["data"])
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
def test_what_is_odd_but_good_becomes_plain_srgb(
    make: Callable[[], bytes], mime: str, tolerance: float | None
):
    data = make()
    result = take_in(data)
    image = opened(result["data"])
    assert result["mime"] == mime
    assert (image.interpretation, image.format) == ("srgb", "uchar")
    assert image.bands == (4 if opened(data).hasalpha() else 3)
    if tolerance is not None:
        assert difference(image, corpus.pixels_of(400, 300)) < tolerance
    assert_clean(result)
    assert result["resident_mb"] < 250


def test_a_polyglot_loses_its_second_face():
    for data in (corpus.jpeg_and_page(), corpus.jpeg_and_zip()):
        result = take_in(data)
        for word in (b"<script", b"<html", b"PK\x03\x04", b"PK\x05\x06", b"run.sh"):
            assert word not in result["data"]


def test_avif_and_webp_are_taken():
    picture = corpus.pixels_of(400, 300)
    for data in (picture.heifsave_buffer(compression="av1", effort=0, Q=80), picture.webpsave_buffer(Q=90)):
        result = take_in(data)
        assert result["mime"] == "image/jpeg"
        assert difference(opened(result["data"]), picture) < 5


def test_transparency_and_what_is_visible_are_kept_exactly():
    picture = corpus.cut_out(600, 450)
    result = take_in(picture.pngsave_buffer())
    assert result["mime"] == "image/png"
    kept = opened(result["data"])
    assert (kept[3] - picture[3]).abs().max() == 0
    assert ((kept - picture).abs() * (picture[3] > 0)).max() == 0
    assert opened(result["thumbnails"]["320"]["data"]).hasalpha()


def test_an_alpha_channel_that_hides_nothing_is_dropped():
    result = take_in(corpus.pixels_of(800, 600).bandjoin(255).pngsave_buffer())
    assert result["mime"] == "image/jpeg"


def test_flat_artwork_stays_exact_and_a_photograph_as_png_becomes_a_jpeg():
    art = corpus.flat_png()
    assert (opened(take_in(art)["data"]) - opened(art)).abs().max() == 0
    assert take_in(corpus.pixels_of(800, 600).pngsave_buffer())["mime"] == "image/jpeg"


def test_a_12_megapixel_photograph_comes_with_all_that_a_page_needs():
    data = corpus.photograph(4000, 3000)
    result = take_in(data, thumbnails=[640, 320, 1280])
    assert (result["width"], result["height"], result["mime"]) == (4000, 3000, "image/jpeg")
    assert result["bytes"] == len(result["data"])
    assert result["sha256"] == hashlib.sha256(result["data"]).hexdigest()
    assert difference(opened(result["data"]), corpus.pixels_of(4000, 3000)) < 3
    for size in (320, 640, 1280):
        small = result["thumbnails"][str(size)]
        assert (small["mime"], small["width"], small["height"]) == ("image/webp", size, size * 3 // 4)
        assert difference(opened(small["data"]), corpus.pixels_of(4000, 3000).thumbnail_image(size)) < 4
        assert len(small["data"]) < size * size * 3 // 8
    assert result["resident_mb"] < 250


def test_small_pictures_are_not_enlarged():
    result = take_in(corpus.photograph(400, 600))
    sizes = [(small["width"], small["height"]) for small in result["thumbnails"].values()]
    assert sizes == [(400, 600), (400, 600), (213, 320)]


def test_the_colour_is_the_one_that_one_would_name():
    assert take_in(corpus.flat_png())["colour"] == "#f0c828"
    clear = corpus.pixels_of(100, 100).bandjoin(0).pngsave_buffer()
    assert take_in(clear)["colour"] == "#ffffff"


def test_the_largest_that_is_taken_needs_bounded_memory():
    whole = corpus.pixels_of(7300, 5475)
    for data in (
        whole.jpegsave_buffer(Q=80, interlace=True),
        whole.heifsave_buffer(compression="av1", effort=0, Q=40),
    ):
        result = take_in(data)
        assert result["width"] == 7300
        assert result["resident_mb"] < MEMORY_MB


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux only")
def test_too_little_memory_or_time_is_not_the_pictures_fault():
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


def test_a_thumbnail_alone_is_the_same_as_libvips_makes():
    data = corpus.photograph(4000, 3000)
    made = asyncio.run(run_isolated("vetrina.media.processing.images:thumbnail", {"data": data, "size": 320}))
    plain = pyvips.Image.thumbnail_buffer(data, 320, height=320, size="down", output_profile="srgb")
    assert made["data"] == pixels.encode_thumbnail(plain)
    assert (made["width"], made["height"]) == (320, 240)


def test_a_thumbnail_of_a_bad_file_is_refused_too():
    for make, code in ((corpus.png_400_megapixels, "too_many_pixels"), (corpus.truncated_jpeg, "damaged")):
        with pytest.raises(IsolatedRejected) as refused:
            asyncio.run(run_isolated("vetrina.media.processing.images:thumbnail", {"data": make(), "size": 320}))
        assert refused.value.code == code


@pytest.mark.parametrize("length", [1, 3, 11, 12, 15, 16, 20, 21, 24])
@pytest.mark.parametrize(
    "make", [corpus.photograph, corpus.flat_png, corpus.heic_header, corpus.webp_of_268_megapixels]
)
def test_a_file_of_a_few_bytes_is_judged_without_a_fall(make: Callable[[], bytes], length: int):
    with pytest.raises(IsolatedRejected) as refused:
        take_in(make()[:length])
    assert refused.value.code in {"not_an_image", "damaged", "format_not_taken"}


def test_names_of_kinds_come_from_the_bytes():
    assert detect_kind(b"\xef\xbb\xbf  <?xml version='1.0'?><!-- x --><svg>") == "SVG"
    assert detect_kind(b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avifmiaf") == "AVIF"
    assert detect_kind(b"<?xml version='1.0'?><feed/>") is None


def assert_clean(result: dict[str, Any]) -> None:
    """No metadata, by its marks in the bytes and by what a decoder finds."""
    for data in (result["data"], *(small["data"] for small in result["thumbnails"].values())):
        assert not [word for word in corpus.GPS_WORDS if word in data]
        fields = set(opened(data).get_fields())
        assert not {each for each in fields if each.startswith(("exif", "xmp", "iptc", "icc", "png-comment"))}
        assert "orientation" not in fields
