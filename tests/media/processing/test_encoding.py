"""The stored encoding does not outgrow its source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import pyvips

from tests.media.processing import bad_files as corpus
from tests.media.processing.test_images import decode, difference, intake
from vetrina.media.processing.dimensions import HEAD, pixel_count
from vetrina.media.processing.encoding import jpeg_quality


def photo() -> pyvips.Image:
    return corpus.pixels_of(1600, 1200, "coffee")


def drawing() -> pyvips.Image:
    """Words on paper: a few hundred colours."""
    words = pyvips.Image.text("Vetrina\nflat artwork", dpi=400, rgba=True)
    return words.flatten(background=[250, 240, 220]).cast("uchar").copy_memory()


OPTIMISED: dict[str, Any] = {"optimize_coding": True, "interlace": True, "trellis_quant": True, "optimize_scans": True}
SOURCES: dict[str, tuple[Callable[[], bytes], str, float, float]] = {
    # how it is made, the type that is stored, the largest growth, the largest mean difference from the source's pixels
    **{
        f"JPEG {quality} {mode}": (
            lambda quality=quality, mode=mode: photo().jpegsave_buffer(Q=quality, subsample_mode=mode, keep=0),
            "image/jpeg", 1.0, 1.6,
        )
        for quality in (30, 60, 75, 85, 92, 97)
        for mode in ("on", "off")
    },
    "JPEG 75 of a better encoder": (lambda: photo().jpegsave_buffer(Q=75, keep=0, **OPTIMISED), "image/jpeg", 1.0, 1.5),
    "grey JPEG": (corpus.grey_jpeg, "image/jpeg", 1.0, 1.5),
    "WebP 75": (lambda: photo().webpsave_buffer(Q=75, keep=0), "image/webp", 1.0, 2.5),
    "WebP 95": (lambda: photo().webpsave_buffer(Q=95, keep=0), "image/webp", 1.0, 2.5),
    "see-through WebP 80": (lambda: corpus.cut_out().webpsave_buffer(Q=80, keep=0), "image/webp", 1.0, 4.0),
    "AVIF 50": (lambda: photo().heifsave_buffer(Q=50, compression="av1", effort=2, keep=0), "image/webp", 1.5, 3.0),
    "PNG of a photograph": (lambda: photo().pngsave_buffer(keep=0), "image/jpeg", 0.3, 2.5),
    "drawing with a palette": (
        lambda: drawing().pngsave_buffer(palette=True, Q=100, dither=0, compression=9, keep=0), "image/png", 1.0, 0.0,
    ),
    "drawing without": (lambda: drawing().pngsave_buffer(compression=9, keep=0), "image/png", 1.0, 0.0),
    "lossless WebP, see-through": (
        lambda: corpus.cut_out(600, 450).webpsave_buffer(lossless=True, effort=2, keep=0), "image/webp", 1.0, 0.0,
    ),
    # Lossless demands it: our PNG is encoded faster than the densest one.
    "densest PNG, see-through": (
        lambda: corpus.cut_out(600, 450).pngsave_buffer(compression=9, filter=0xF8, keep=0), "image/png", 1.5, 0.0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
def test_the_stored_image_is_no_larger_than_its_source(name: str):
    make, mime, growth, change = SOURCES[name]
    data = make()
    result = intake(data)
    assert result["mime"] == mime
    assert result["bytes"] <= len(data) * growth, f"{result['bytes'] / len(data):.2f} times its source"
    source = decode(data).colourspace("srgb")
    if change == 0.0:
        visible = source[3] > 0 if source.hasalpha() else source[0] * 0 + 255
        stored = decode(result["data"]).colourspace("srgb")
        assert ((stored[:3] - source[:3]).abs() * (visible > 0)).max() == 0
    elif not source.hasalpha():
        assert difference(decode(result["data"]).colourspace("srgb"), source) <= change


@pytest.mark.parametrize("quality", [30, 50, 75, 90, 98])
def test_jpeg_quality_is_read_from_the_file(quality: int):
    assert abs(jpeg_quality(photo().jpegsave_buffer(Q=quality, keep=0)) - quality) <= 1


def test_the_pixel_count_comes_from_the_header():
    picture = corpus.pixels_of(400, 300)
    alpha = corpus.cut_out(400, 300)
    files = [
        picture.jpegsave_buffer(keep=0),
        corpus.oriented(6),
        picture.pngsave_buffer(keep=0),
        picture.webpsave_buffer(Q=80, keep=0),
        picture.webpsave_buffer(lossless=True, keep=0),
        alpha.webpsave_buffer(Q=80, keep=0),
        picture.heifsave_buffer(compression="av1", effort=0, keep=0),
    ]
    assert [pixel_count(data[:HEAD]) for data in files] == [120_000] * len(files)
    assert pixel_count(corpus.png_400_megapixels()[:HEAD]) == 400_000_000
    assert [pixel_count(data) for data in (b"", corpus.text(), corpus.pdf(), picture.jpegsave_buffer(keep=0)[:30])] == [None] * 4
