"""What happens to a picture's bytes, in the confined child: `intake` and `thumbnail`.

Judges by content and header only; no file name or declared type comes in here. Takes still JPEG, PNG,
WebP and AVIF. Everything else is refused by name: a moving picture too, because keeping only its first
frame would lose what the person meant to show. Nothing of the file that came in is kept but its pixels.

The pixels leave upright, sRGB, 8 bits, without metadata:
- as JPEG (quality 92, no chroma subsampling) where the picture is opaque. At 12 megapixels that takes
  0.05 s where WebP takes 1.1 s, and an engine reads it everywhere;
- as PNG where it has transparency, or is flat artwork (a lossless file of less than one byte for a
  pixel), which JPEG would blur and which PNG keeps small;
- thumbnails as WebP, where small size counts and encoding is cheap.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Generator
from typing import Any

import pyvips

from vetrina.core.isolation.child import OUT_OF_MEMORY, Refuse, Report
from vetrina.media.processing.file_types import TAKEN, is_animated, is_lossless, kind_of

MAX_BYTES = 25_000_000
MAX_PIXELS = 40_000_000
MAX_SIDE = 20_000
"""Pixels; a longer side is a banner or an attack, and many programs cannot show it."""
MIN_SIDE = 16
"""Pixels; less is a tracking dot or an icon, from which no engine makes anything."""
THUMBNAILS = (320, 640, 1280)
"""Long sides of the thumbnails, in pixels."""
QUALITY = 92
_NO_METADATA, _SUB = 0, 0x10
"""VipsForeignKeep's "none", and the PNG filter that is best for photographs at half the time of "all"."""
_DOT = (
    "/9j/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/wAAL"
    "CAAQABABAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AAP/Z"
)
"""A grey JPEG of 16 x 16 pixels, for `warm`."""
_LOADERS = {"JPEG": "jpegload", "PNG": "pngload", "WebP": "webpload", "AVIF": "heifload"}
_CLASSES = ("VipsForeignLoadJpeg", "VipsForeignLoadPng", "VipsForeignLoadWebp", "VipsForeignLoadHeif")


def intake(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Check, normalise and re-encode one picture, and make its thumbnails.

    Takes `data`, and optionally `max_bytes`, `max_pixels` and `thumbnails` (long sides in pixels).
    Returns `data`, `mime`, `width`, `height`, `bytes`, `sha256` (of the new data, in hex), `colour`
    ("#rrggbb", the one that covers most of the picture) and `thumbnails`: long side as text ->
    `data`, `mime`, `width`, `height`; none is larger than the picture. Refuses with the codes
    empty, too_many_bytes, not_an_image, format_not_taken, animated, too_many_pixels, too_long,
    too_small and damaged.
    """
    report(0.0, "Checking")
    data: bytes = payload["data"]
    kind, image = _open(data, payload.get("max_bytes", MAX_BYTES), payload.get("max_pixels", MAX_PIXELS))
    report(0.1, "Reading")
    with _reading():
        image = _opaque(_srgb(image).copy_memory()).autorot()
    width, height = image.width, image.height
    report(0.4, "Encoding")
    flat = is_lossless(kind, data) and len(data) < width * height
    if image.hasalpha() or flat:
        mime, kept = "image/png", image.pngsave_buffer(compression=3, filter=_SUB, keep=_NO_METADATA)
    else:
        mime, kept = "image/jpeg", image.jpegsave_buffer(Q=QUALITY, keep=_NO_METADATA)
    report(0.7, "Making thumbnails")
    thumbnails: dict[str, dict[str, Any]] = {}
    smaller = image
    for size in sorted(payload.get("thumbnails", THUMBNAILS), reverse=True):
        # each from the one before: a quarter of the pixels, and no visible difference
        smaller = smaller.thumbnail_image(size, height=size, size="down").copy_memory()
        thumbnails[str(size)] = _thumbnail(smaller)
    return {
        "data": kept,
        "mime": mime,
        "width": width,
        "height": height,
        "bytes": len(kept),
        "sha256": hashlib.sha256(kept).hexdigest(),
        "colour": _colour(smaller),
        "thumbnails": thumbnails,
    }


def thumbnail(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """One WebP thumbnail of `data`, its long side `size` pixels at most, shrunk while it is decoded.

    Returns `data`, `mime`, `width`, `height`. Refuses as `intake` does.
    """
    data: bytes = payload["data"]
    size: int = payload["size"]
    kind, image = _open(data, payload.get("max_bytes", MAX_BYTES), payload.get("max_pixels", MAX_PIXELS))
    with _reading():
        # as libvips's own thumbnail does, which however lets truncated files pass
        shrink = max(image.width, image.height) / size
        if kind == "JPEG" and shrink >= 4:
            image = _load(kind, data, shrink=8 if shrink >= 16 else 4 if shrink >= 8 else 2)
        elif kind == "WebP" and shrink > 2:
            image = _load(kind, data, scale=2 / shrink)
        if image.get_typeof("icc-profile-data") == 0 and image.interpretation in ("srgb", "b-w"):
            small = image.thumbnail_image(size, height=size, size="down")
        else:  # takes 10 ms more, even where it would change nothing
            small = image.thumbnail_image(size, height=size, size="down", output_profile="srgb")
        return _thumbnail(small)


def warm() -> None:
    """Do once, in the warm process, what each call would do anew. Nothing is decoded: that starts threads."""
    _only_known_loaders()
    dot = _load("JPEG", base64.b64decode(_DOT))
    dot.thumbnail_image(8, height=8, size="down", output_profile="srgb")
    for name in ("autorot", "icc_transform", "jpegsave_buffer", "webpsave_buffer"):
        pyvips.Introspect.get(name)


def rehearse() -> None:
    """Do everything once in a child that still waits: its libraries' first time takes 4 ms."""
    plain = pyvips.Image.black(256, 192, bands=3).copy(interpretation="srgb").jpegsave_buffer()
    thumbnail({"data": plain, "size": 32}, lambda fraction, step: None)


def _open(data: bytes, max_bytes: int, max_pixels: int) -> tuple[str, pyvips.Image]:
    """The picture's kind and its header, opened for one pass, after every check that needs no decoding."""
    if not data:
        raise Refuse("empty", "The file is empty.")
    if len(data) > max_bytes:
        raise Refuse("too_many_bytes", f"The file is larger than {max_bytes // 1_000_000} MB.")
    kind = kind_of(data)
    if kind is None:
        raise Refuse("not_an_image", f"This is not an image. Taken are {TAKEN}.")
    if kind not in _LOADERS:
        raise Refuse("format_not_taken", f"{kind} files are not taken. Taken are {TAKEN}.")
    if is_animated(kind, data):
        raise Refuse("animated", "Moving pictures are not taken. Save one frame as JPEG, PNG, WebP or AVIF.")
    _only_known_loaders()
    with _reading():
        load = getattr(pyvips.Image, f"{_LOADERS[kind]}_source")
        image: pyvips.Image = load(
            pyvips.Source.new_from_memory(data), access="sequential", fail_on="truncated"
        )
        moving = kind == "WebP" and image.get_n_pages() > 1
    if moving:
        raise Refuse("animated", "Moving pictures are not taken. Save one frame as JPEG, PNG, WebP or AVIF.")
    width, height = image.width, image.height
    shown = f"{width:,} x {height:,} pixels"
    if width * height > max_pixels:
        raise Refuse(
            "too_many_pixels",
            f"The picture has {width * height / 1e6:.0f} megapixels ({shown}). At most {max_pixels / 1e6:.0f} are taken.",
        )
    if max(width, height) > MAX_SIDE:
        raise Refuse("too_long", f"The picture is {shown}. No side may exceed {MAX_SIDE:,} pixels.")
    if min(width, height) < MIN_SIDE:
        raise Refuse("too_small", f"The picture is {shown}. Each side needs {MIN_SIDE} pixels or more.")
    return kind, image


def _load(kind: str, data: bytes, **options: float) -> pyvips.Image:
    """Open for one pass, from the top down; what is cut short fails when it is read."""
    load = getattr(pyvips.Image, f"{_LOADERS[kind]}_source")
    return load(pyvips.Source.new_from_memory(data), access="sequential", fail_on="truncated", **options)


def _only_known_loaders() -> None:
    """Block every decoder but the four, and keep no cache: the process serves one call."""
    pyvips.block_untrusted_set(True)
    pyvips.operation_block_set("VipsForeignLoad", True)
    for name in _CLASSES:
        pyvips.operation_block_set(name, False)
    pyvips.cache_set_max(0)


@contextlib.contextmanager
def _reading() -> Generator[None]:
    """Turn a decoder's complaint into a refusal, unless memory ran out."""
    try:
        yield
    except pyvips.Error as error:
        if any(sign in str(error).lower() for sign in OUT_OF_MEMORY):
            raise
        raise Refuse("damaged", "The picture is damaged or incomplete. Save it again and retry.") from error


def _srgb(image: pyvips.Image) -> pyvips.Image:
    """Eight bits of sRGB, by the embedded profile, or by the usual one for CMYK without any."""
    with_profile = image.get_typeof("icc-profile-data") != 0
    cmyk = image.interpretation == "cmyk"
    if with_profile or cmyk:
        try:
            image = image.icc_transform(
                "srgb",
                embedded=True,
                input_profile="cmyk" if cmyk else "srgb",
                depth=8,
                black_point_compensation=True,
            )
        except pyvips.Error:  # a profile that is none, or fits another kind of picture
            image = image.colourspace("srgb")
    else:
        image = image.colourspace("srgb")
    return image.cast("uchar")


def _opaque(image: pyvips.Image) -> pyvips.Image:
    """Without an alpha channel that hides nothing."""
    if image.hasalpha() and image[image.bands - 1].min() == 255:
        return image[: image.bands - 1]
    return image


def _thumbnail(image: pyvips.Image) -> dict[str, Any]:
    return {"data": webp(image), "mime": "image/webp", "width": image.width, "height": image.height}


def webp(image: pyvips.Image) -> bytes:
    """A thumbnail's encoding. Effort 2 takes 0.4 of the time of WebP's default, and 4 % more bytes."""
    return image.webpsave_buffer(Q=80, effort=2, keep=_NO_METADATA)


def _colour(image: pyvips.Image) -> str:
    """The mean of the pixels in the fullest of 512 boxes of colour, what is transparent left out."""
    tiny = image.thumbnail_image(32, height=32, size="force")
    bands = tiny.bands
    pixels = bytes(tiny.write_to_memory())
    boxes: dict[int, list[tuple[int, int, int]]] = {}
    for at in range(0, len(pixels), bands):
        red, green, blue = pixels[at : at + 3]
        if bands == 3 or pixels[at + 3] > 127:
            boxes.setdefault((red >> 5) << 6 | (green >> 5) << 3 | blue >> 5, []).append((red, green, blue))
    fullest = max(boxes.values(), key=len, default=[(255, 255, 255)])
    return "#" + "".join(f"{round(sum(band) / len(fullest)):02x}" for band in zip(*fullest, strict=True))
