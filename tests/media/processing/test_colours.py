"""Colours that a file declares otherwise than by an ICC profile, and colours that nobody should see."""

from __future__ import annotations

import asyncio
import io
import math
import struct
import zlib
from typing import Any

import pytest
import pyvips
from PIL import Image, ImageCms

from tests.media.processing import bad_files as corpus
from vetrina.core.isolation.run import IsolatedRejected, Limits, run_isolated
from vetrina.media.processing.colour_conversion import REFERENCE_WHITE, icc_profile
from vetrina.media.processing.colour_tags import ADOBE_RGB, SRGB, avif_code_points
from vetrina.media.processing.file_types import detect_kind, lossless_bytes

GREEN = (60, 200, 90)
GREEN_FROM_ADOBE_RGB = (0, 201, 80)


def intake(data: bytes) -> dict[str, Any]:
    return asyncio.run(run_isolated("vetrina.media.processing.images:intake", {"data": data}, limits=Limits(memory_mb=1024)))


def thumbnail(data: bytes) -> dict[str, Any]:
    return asyncio.run(run_isolated("vetrina.media.processing.images:thumbnail", {"data": data, "size": 32}))


def plain(*colour: float, bands: int = 3, deep: bool = False) -> pyvips.Image:
    """An image of one colour, 64 x 64 pixels."""
    flat = (pyvips.Image.black(64, 64, bands=bands) + list(colour)).cast("ushort" if deep else "uchar")
    return flat.copy(interpretation="rgb16" if deep else "srgb")


def pixel(data: bytes) -> tuple[int, ...]:
    return tuple(round(value) for value in pyvips.Image.new_from_buffer(data, "")(9, 9))


def close(data: bytes, expected: tuple[int, ...], tolerance: int = 1) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(pixel(data), expected, strict=True))


def with_exif(image: pyvips.Image, colour_space: int = 65535, interoperability: str = "R03") -> pyvips.Image:
    image = image.copy()
    text = pyvips.GValue.gstr_type
    image.set_type(text, "exif-ifd2-ColorSpace", f"{colour_space} (x, Short, 1 components, 2 bytes)")
    image.set_type(text, "exif-ifd4-InteroperabilityIndex", f"{interoperability} (x, ASCII, 4 components, 4 bytes)")
    return image


def encoded(image: pyvips.Image, kind: str) -> bytes:
    match kind:
        case "JPEG":
            return image.jpegsave_buffer(Q=100, subsample_mode="off")
        case "PNG":
            return image.pngsave_buffer()
        case "WebP":
            return image.webpsave_buffer(lossless=True)
        case _:
            return image.heifsave_buffer(compression="av1", Q=100, subsample_mode="off")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP", "AVIF"])
def test_adobe_rgb_declared_by_exif_alone_is_converted(kind: str):
    data = encoded(with_exif(plain(*GREEN)), kind)
    result = intake(data)
    assert close(result["data"], GREEN_FROM_ADOBE_RGB, 3 if kind == "AVIF" else 1)
    assert close(result["thumbnails"]["320"]["data"], GREEN_FROM_ADOBE_RGB, 4)
    assert close(thumbnail(data)["data"], GREEN_FROM_ADOBE_RGB, 4)


@pytest.mark.parametrize(("colour_space", "index"), [(1, "R98"), (1, "R03"), (65535, "R98"), (65535, "THM")])
def test_other_exif_leaves_colours_alone(colour_space: int, index: str):
    data = encoded(with_exif(plain(*GREEN), colour_space, index), "PNG")
    assert pixel(intake(data)["data"]) == GREEN


def test_grey_and_transparent_images_may_be_adobe_rgb():
    grey = with_exif(pyvips.Image.black(64, 64).linear([1], [100]).cast("uchar").copy(interpretation="b-w"))
    assert close(intake(encoded(grey, "PNG"))["data"], (100, 100, 100), 2)
    clear = with_exif(plain(*GREEN, 128, bands=4))
    assert pixel(intake(encoded(clear, "PNG"))["data"]) == (*GREEN_FROM_ADOBE_RGB, 128)


def test_icc_profile_takes_precedence_over_exif():
    image = with_exif(plain(*GREEN))
    data = image.pngsave_buffer(profile="srgb")
    assert close(intake(data)["data"], GREEN)


def test_generated_profile_equals_that_of_lcms():
    own = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile(SRGB)))
    picture = Image.frombytes("RGB", (16, 16), bytes(range(256)) * 3)
    result = ImageCms.profileToProfile(picture, own, ImageCms.createProfile("sRGB"))
    assert result is not None
    assert max(abs(a - b) for a, b in zip(picture.tobytes(), result.tobytes(), strict=True)) <= 1
    assert len(icc_profile(ADOBE_RGB)) == int.from_bytes(icc_profile(ADOBE_RGB)[:4], "big")


def png_with(image: pyvips.Image, *chunks: tuple[bytes, bytes]) -> bytes:
    """The image as PNG with these chunks behind its header."""
    data = image.pngsave_buffer(keep=0)
    created = b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )
    return data[:33] + created + data[33:]


def chromaticities(*points: float) -> tuple[bytes, bytes]:
    return b"cHRM", struct.pack(">8I", *(round(point * 100_000) for point in points))


ADOBE_POINTS = chromaticities(0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
SRGB_POINTS = chromaticities(0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([(b"gAMA", struct.pack(">I", 45455))], GREEN),
        ([(b"gAMA", struct.pack(">I", 45455)), SRGB_POINTS], GREEN),
        ([(b"gAMA", struct.pack(">I", 45470)), ADOBE_POINTS], GREEN_FROM_ADOBE_RGB),
        ([(b"gAMA", struct.pack(">I", 100_000))], (132, 229, 160)),  # linear light
        ([(b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 100_000))], GREEN),
        ([(b"cICP", bytes([1, 13, 0, 1])), (b"gAMA", struct.pack(">I", 100_000))], GREEN),
        ([(b"cICP", bytes([12, 13, 0, 1]))], (0, 203, 73)),  # Display P3
        ([(b"gAMA", struct.pack(">I", 0)), chromaticities(0, 0, 0, 0, 0, 0, 0, 0)], GREEN),  # no sense
    ],
)
def test_colours_declared_by_png_chunks(chunks: list[tuple[bytes, bytes]], expected: tuple[int, ...]):
    assert close(intake(png_with(plain(*GREEN), *chunks))["data"], expected, 3)


def avif(image: Image.Image, primaries: int, transfer: int) -> bytes:
    """The image as AVIF, its `colr` box saying these code points (ITU-T H.273)."""
    out = io.BytesIO()
    image.save(out, "AVIF", quality=100, subsampling="4:4:4")
    data = bytearray(out.getvalue())
    start = data.index(b"colrnclx") + 8
    data[start : start + 4] = struct.pack(">HH", primaries, transfer)
    assert avif_code_points(bytes(data)) == (primaries, transfer)
    return bytes(data)


def pq(nits: float) -> int:
    """The 8-bit PQ signal of a luminance (SMPTE ST 2084)."""
    power = (nits / 10_000) ** (2610 / 16384)
    return round(255 * ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32))


def hlg(light: float) -> int:
    """The 8-bit HLG signal of scene light (ITU-R BT.2100)."""
    a = 0.17883277
    signal = math.sqrt(3 * light) if light <= 1 / 12 else a * math.log(12 * light - 1 + 4 * a) + 0.5 - a * math.log(4 * a)
    return round(255 * signal)


def test_hdr_reference_white_becomes_almost_white():
    for signal, transfer in ((pq(REFERENCE_WHITE), 16), (191, 18)):  # BT.2408: 58 % PQ, 75 % HLG
        red, green, blue = pixel(intake(avif(Image.new("RGB", (64, 64), (signal,) * 3), 9, transfer))["data"])
        assert 235 <= red <= 250 and max(red, green, blue) - min(red, green, blue) <= 2


def test_hdr_keeps_shadows_and_distinguishes_highlights():
    nits = [REFERENCE_WHITE * share for share in (0.18, 0.5, 1, 2, 4)]
    values = [pixel(intake(avif(Image.new("RGB", (64, 64), (pq(light),) * 3), 9, 16))["data"])[0] for light in nits]
    assert abs(values[0] - 118) <= 4 and abs(values[1] - 188) <= 4  # 18 % and 50 % of light in sRGB
    assert values == sorted(values) and values[2] < values[3] <= values[4] <= 255


def test_hdr_colours_keep_their_hue():
    red, green, blue = pixel(intake(avif(Image.new("RGB", (64, 64), (pq(400), pq(20), pq(20))), 9, 16))["data"])
    assert red > 200 and green < 120 and blue < 120


@pytest.mark.parametrize("kind", ["AVIF", "PNG"])
def test_hdr_of_ten_bits_and_with_transparency(kind: str):
    signal = round(65535 * 0.5806)  # the reference white
    image = plain(signal, signal, signal, 32768, bands=4, deep=True)
    if kind == "PNG":
        data = png_with(image, (b"cICP", bytes([9, 16, 0, 1])))
    else:
        data = avif(Image.new("RGBA", (64, 64), (148, 148, 148, 128)), 9, 16)
    red, *_, alpha = pixel(intake(data)["data"])
    assert 235 <= red <= 250 and abs(alpha - 128) <= 1
    assert thumbnail(data)["mime"] == "image/webp"


def test_wide_gamut_without_hdr_is_converted_by_its_primaries():
    data = avif(Image.new("RGB", (64, 64), GREEN), 12, 13)
    assert close(intake(data)["data"], (0, 203, 73), 4)
    unspecified = avif(Image.new("RGB", (64, 64), GREEN), 2, 2)
    assert close(intake(unspecified)["data"], GREEN, 4)


# Lossless


@pytest.mark.parametrize("extra", ["nothing", "exif", "profile"])
def test_lossless_webp_stays_exact_with_metadata(extra: str):
    art = pyvips.Image.new_from_buffer(corpus.flat_png(), "")
    if extra == "exif":
        art = with_exif(art, 1, "R98")
    options: dict[str, Any] = {"nothing": {"keep": "none"}, "exif": {"keep": "exif"}, "profile": {"profile": "srgb"}}[extra]
    data = art.webpsave_buffer(lossless=True, **options)
    assert (data[12:16] == b"VP8X") is (extra != "nothing")
    result = intake(data)
    assert result["mime"] == "image/webp" and b"VP8L" in result["data"][:64]
    difference = (pyvips.Image.new_from_buffer(result["data"], "") - art).abs()
    assert difference.maxpos()[0] <= (1 if extra == "profile" else 0)


def test_metadata_does_not_count_as_pixel_bytes():
    art = pyvips.Image.new_from_buffer(corpus.flat_png(), "").copy()
    plain_size = lossless_bytes("PNG", art.pngsave_buffer())
    metadata: Any = b"Exif\0\0" + bytes(500_000)  # the stubs of pyvips leave bytes out
    art.set_type(pyvips.GValue.blob_type, "exif-data", metadata)
    assert plain_size is not None and plain_size < art.width * art.height
    assert lossless_bytes("WebP", corpus.pixels_of(64, 64).webpsave_buffer(Q=80)) is None
    assert lossless_bytes("JPEG", corpus.photograph(64, 64)) is None


# What an eraser left


@pytest.mark.parametrize("kind", ["PNG", "WebP", "AVIF"])
def test_colours_below_full_transparency_are_not_published(kind: str):
    visible = pyvips.Image.xyz(400, 300)[0] < 200
    files: list[bytes] = []
    for secret in (corpus.pixels_of(400, 300), corpus.pixels_of(400, 300) * 0):
        image = visible.ifthenelse([90, 120, 40], secret).cast("uchar").copy(interpretation="srgb")
        image = image.bandjoin(visible.ifthenelse(255, 0).cast("uchar"))
        exact = kind == "WebP"
        files.append(image.webpsave_buffer(lossless=True, exact=True) if exact else encoded(image, kind))
    source = pyvips.Image.new_from_buffer(files[0], "")
    assert source.crop(250, 50, 100, 200)[:3].deviate() > 10  # the file does hold them
    result, without = intake(files[0]), intake(files[1])
    hidden = pyvips.Image.new_from_buffer(result["data"], "").crop(210, 0, 190, 300)
    # Lossy sources are stored as lossy WebP, whose encoder blurs the black.
    brightest = float(hidden[:3].max())  # type: ignore[arg-type]
    assert hidden[3].max() == 0 and brightest <= (2 if kind == "AVIF" else 0)
    if kind != "AVIF":  # whose encoder lets hidden colours change visible ones a little
        assert result == without
        assert thumbnail(files[0]) == thumbnail(files[1])
    for size in ("320", "1280"):
        output = pyvips.Image.new_from_buffer(result["thumbnails"][size]["data"], "")
        edge = output.crop(output.width * 5 // 8, 20, output.width // 4, output.height - 40)
        assert edge[3].max() == 0 and edge[:3].deviate() < 2


def test_thumbnail_of_a_large_transparent_png():
    small = pyvips.Image.new_from_buffer(thumbnail(corpus.cut_out(2000, 1500).pngsave_buffer())["data"], "")
    assert (small.width, small.height, small.bands) == (32, 24, 4)


# Varieties of JPEG


def test_twelve_bit_jpeg_is_refused_by_kind():
    assert detect_kind(corpus.photograph(64, 64)) == "JPEG" and detect_kind(corpus.cmyk_jpeg()) == "JPEG"
    assert detect_kind(corpus.progressive_jpeg()) == "JPEG"
    with pytest.raises(IsolatedRejected, match=r"12-bit JPEG files are not taken. Taken are JPEG, PNG, WebP, AVIF and TIFF"):
        intake(corpus.deep_jpeg())
