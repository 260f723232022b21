"""Image processing in the isolated child: `intake` and `thumbnail`.

Decides by content and header only, not by file name or declared type. Accepts still JPEG, PNG, WebP, AVIF
and TIFF, and HEIC where the payload says so.
Everything else is refused by name: an animation too, because its first frame alone would not be what
was uploaded. Only the pixels of the uploaded file are kept.

The results are upright, sRGB, 8 bits, without metadata, and black where they are fully transparent. The original is JPEG,
PNG or WebP (`vetrina.media.processing.encoding`); thumbnails are WebP, where small size counts and encoding is cheap.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import importlib
from collections.abc import Generator
from typing import Any

import pyvips

from vetrina.core.isolation.child import OUT_OF_MEMORY, Reject, Report
from vetrina.media.processing.colour_conversion import tone_map, with_profile
from vetrina.media.processing.colour_tags import declared_space
from vetrina.media.processing.dimensions import MAX_PIXELS
from vetrina.media.processing.encoding import encode
from vetrina.media.processing.file_types import ACCEPTED, ACCEPTED_WITH_HEIC, detect_kind, is_animated

MAX_BYTES = 25_000_000
MAX_SIDE = 20_000
"""Pixels; longer sides are banners or attacks, and many programs cannot show them."""
MIN_SIDE = 16
"""Pixels; less is a tracking pixel or an icon, which no engine can use."""
THUMBNAILS = (320, 640, 1280)
"""Long sides of the thumbnails, in pixels."""
_MOVING = "Moving pictures are not taken. Save one frame as JPEG, PNG, WebP or AVIF."
_NO_METADATA = 0
"""VipsForeignKeep's "none"."""
_DOT = (
    "/9j/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/wAAL"
    "CAAQABABAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AAP/Z"
)
"""A grey JPEG of 16 x 16 pixels, for `warm_zygote`."""
_LOADERS = {"JPEG": "jpegload", "PNG": "pngload", "WebP": "webpload", "AVIF": "heifload", "TIFF": "tiffload"}
_CLASSES = tuple(f"VipsForeignLoad{name}" for name in ("Jpeg", "Png", "Webp", "Heif", "Tiff"))


def intake(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Check, normalise and re-encode one image, and make its thumbnails.

    Takes `data`, and optionally `max_bytes`, `max_pixels`, `thumbnails` (long sides in pixels) and `heic` (whether it is taken).
    Returns `data`, `mime`, `width`, `height`, `bytes`, `sha256` (of the new data, in hex), `colour`
    ("#rrggbb", the one that covers most of the picture) and `thumbnails`: long side as text ->
    `data`, `mime`, `width`, `height`; none is larger than the picture. Refuses with the codes
    empty, too_many_bytes, not_an_image, format_not_taken, animated, several_pages, too_many_pixels,
    too_long, too_small and damaged.
    """
    report(0.0, "Checking")
    data: bytes = payload["data"]
    limits = payload.get("max_bytes", MAX_BYTES), payload.get("max_pixels", MAX_PIXELS)
    kind, image = _open_image(data, *limits, heic=payload.get("heic", False))
    report(0.1, "Reading")
    with _decoder_errors():
        image = _without_hidden_colours(_srgb(_with_declared_colours(kind, data, image)).copy_memory()).autorot()
    width, height = image.width, image.height
    report(0.4, "Encoding")
    mime, encoded = encode(image, kind, data)
    report(0.7, "Making thumbnails")
    thumbnails: dict[str, dict[str, Any]] = {}
    smaller = image
    for size in sorted(payload.get("thumbnails", THUMBNAILS), reverse=True):
        # Each from the previous one: a quarter of the pixels, and no visible difference.
        smaller = smaller.thumbnail_image(size, height=size, size="down").copy_memory()
        thumbnails[str(size)] = _thumbnail(smaller)
    return {
        "data": encoded,
        "mime": mime,
        "width": width,
        "height": height,
        "bytes": len(encoded),
        "sha256": hashlib.sha256(encoded).hexdigest(),
        "colour": _dominant_colour(smaller),
        "thumbnails": thumbnails,
    }


def thumbnail(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Return one WebP thumbnail of `data`, its long side at most `size` pixels, shrunk while it is decoded.

    Returns `data`, `mime`, `width`, `height`. Refuses as `intake` does.
    """
    data: bytes = payload["data"]
    size: int = payload["size"]
    kind, image = _open_image(data, payload.get("max_bytes", MAX_BYTES), payload.get("max_pixels", MAX_PIXELS))
    with _decoder_errors():
        # As libvips's own thumbnail does, which however accepts truncated files.
        shrink = max(image.width, image.height) / size
        if kind == "JPEG" and shrink >= 4:
            image = _load(kind, data, shrink=8 if shrink >= 16 else 4 if shrink >= 8 else 2)
        elif kind == "WebP" and shrink > 2:
            image = _load(kind, data, scale=2 / shrink)
        image = _with_declared_colours(kind, data, image)
        if image.get_typeof("icc-profile-data") == 0 and image.interpretation in ("srgb", "b-w"):
            small = image.thumbnail_image(size, height=size, size="down")
        else:  # takes 10 ms more, even where it changes nothing
            small = image.thumbnail_image(size, height=size, size="down", output_profile="srgb")
        return _thumbnail(_without_hidden_colours(small.copy_memory()))  # a stream can be read once


def open_thumbnail(data: bytes) -> pyvips.Image:
    """Return one of our own thumbnails, decoded. Refuses as `intake` does."""
    _, image = _open_image(data, MAX_BYTES, MAX_PIXELS)
    with _decoder_errors():
        return image.copy_memory()


def warm_zygote() -> None:
    """Do what each call would repeat once, in the warm process. Nothing is decoded: that starts threads.

    The HEIC decoder is loaded here and not with this file, which web processes import too.
    """
    importlib.import_module("vetrina.media.processing.heic")
    _restrict_loaders()
    dot = _load("JPEG", base64.b64decode(_DOT))
    dot.thumbnail_image(8, height=8, size="down", output_profile="srgb")
    for name in ("autorot", "icc_transform", "jpegsave_buffer", "webpsave_buffer"):
        pyvips.Introspect.get(name)


def warm_child() -> None:
    """Run everything once in an idle child: the libraries' first call takes 4 ms."""
    plain = pyvips.Image.black(256, 192, bands=3).copy(interpretation="srgb").jpegsave_buffer()
    thumbnail({"data": plain, "size": 32}, lambda fraction, step: None)


def _open_image(data: bytes, max_bytes: int, max_pixels: int, *, heic: bool = False) -> tuple[str, pyvips.Image]:
    """Return the image's kind and the image opened for one pass, after every check that needs no decoding."""
    if not data:
        raise Reject("empty", "The file is empty.")
    if len(data) > max_bytes:
        raise Reject("too_many_bytes", f"The file is larger than {max_bytes // 1_000_000} MB.")
    kind = detect_kind(data)
    accepted = ACCEPTED_WITH_HEIC if heic else ACCEPTED
    if kind is None:
        raise Reject("not_an_image", f"This is not an image. Taken are {accepted}.")
    if kind not in _LOADERS and not (heic and kind == "HEIC"):
        raise Reject("format_not_taken", f"{kind} files are not taken. Taken are {accepted}.")
    if is_animated(kind, data):
        raise Reject("animated", _MOVING)
    _restrict_loaders()
    if kind == "HEIC":
        from vetrina.media.processing.heic import HeicPicture  # see `warm_zygote`

        picture = HeicPicture(data)
        _check_size(*picture.size, max_pixels)
        return kind, picture.decode()
    with _decoder_errors():
        image = _load(kind, data)
        pages = image.get_n_pages() if kind in ("WebP", "TIFF") else 1
    if pages > 1:
        if kind == "TIFF":
            raise Reject("several_pages", f"This TIFF has {pages} pages. Save one of them as a file of its own.")
        raise Reject("animated", _MOVING)
    _check_size(image.width, image.height, max_pixels)
    return kind, image


def _check_size(width: int, height: int, max_pixels: int) -> None:
    dimensions = f"{width:,} x {height:,} pixels"
    if width * height > max_pixels:
        raise Reject(
            "too_many_pixels",
            f"The picture has {width * height / 1e6:.0f} megapixels ({dimensions}). At most {max_pixels / 1e6:.0f} are taken.",
        )
    if max(width, height) > MAX_SIDE:
        raise Reject("too_long", f"The picture is {dimensions}. No side may exceed {MAX_SIDE:,} pixels.")
    if min(width, height) < MIN_SIDE:
        raise Reject("too_small", f"The picture is {dimensions}. Each side needs {MIN_SIDE} pixels or more.")


def _load(kind: str, data: bytes, **options: float) -> pyvips.Image:
    """Open for one pass, from the top down; a truncated file fails when it is read."""
    load = getattr(pyvips.Image, f"{_LOADERS[kind]}_source")
    return load(pyvips.Source.new_from_memory(data), access="sequential", fail_on="truncated", **options)


def _restrict_loaders() -> None:
    """Block every decoder but the five, and disable the cache: the process serves one call."""
    pyvips.block_untrusted_set(True)
    pyvips.operation_block_set("VipsForeignLoad", True)
    for name in _CLASSES:
        pyvips.operation_block_set(name, False)
    pyvips.cache_set_max(0)


@contextlib.contextmanager
def _decoder_errors() -> Generator[None]:
    """Turn a decoder's error into a refusal, unless memory ran out."""
    try:
        yield
    except pyvips.Error as error:
        if any(sign in str(error).lower() for sign in OUT_OF_MEMORY):
            raise
        raise Reject("damaged", "The picture is damaged or incomplete. Save it again and retry.") from error


def _srgb(image: pyvips.Image) -> pyvips.Image:
    """Return 8-bit sRGB, by the embedded profile, or by the usual one for CMYK without any."""
    profiled = image.get_typeof("icc-profile-data") != 0
    cmyk = image.interpretation == "cmyk"
    if profiled or cmyk:
        try:
            image = image.icc_transform(
                "srgb",
                embedded=True,
                input_profile="cmyk" if cmyk else "srgb",
                depth=8,
                black_point_compensation=True,
            )
        except pyvips.Error:  # a broken profile, or one for another kind of image
            image = image.colourspace("srgb")
    else:
        image = image.colourspace("srgb")
    image = image.cast("uchar")
    colours = 3 if image.interpretation == "srgb" else 1
    return image[: colours + 1] if image.bands > colours + 1 else image  # TIFFs may have further channels, such as masks


def _with_declared_colours(kind: str, data: bytes, image: pyvips.Image) -> pyvips.Image:
    """Return the image with a profile of the colour space that its file declares; HDR becomes sRGB."""
    space = declared_space(kind, data, image)
    if space is None:
        return image
    return tone_map(image, space) if space.high_dynamic_range else with_profile(image, space)


def _without_hidden_colours(image: pyvips.Image) -> pyvips.Image:
    """Return the image without an alpha channel that hides nothing, and black where it hides everything.

    An eraser clears alpha and leaves the colours below in the file: they are not to be published.
    """
    if not image.hasalpha():
        return image
    alpha = image[image.bands - 1]
    if alpha.min() == 255:
        return image[: image.bands - 1]
    return (alpha > 0).ifthenelse(image, [0] * image.bands)


def _thumbnail(image: pyvips.Image) -> dict[str, Any]:
    return {"data": encode_thumbnail(image), "mime": "image/webp", "width": image.width, "height": image.height}


def encode_thumbnail(image: pyvips.Image) -> bytes:
    """Return a thumbnail's encoding. Effort 2 takes 0.4 of the time of WebP's default, and 4 % more bytes."""
    return image.webpsave_buffer(Q=80, effort=2, keep=_NO_METADATA)


def _dominant_colour(image: pyvips.Image) -> str:
    """Return the mean of the pixels in the largest of 512 colour boxes, without the transparent ones."""
    tiny = image.thumbnail_image(32, height=32, size="force")
    bands = tiny.bands
    pixels = bytes(tiny.write_to_memory())
    boxes: dict[int, list[tuple[int, int, int]]] = {}
    for offset in range(0, len(pixels), bands):
        red, green, blue = pixels[offset : offset + 3]
        if bands == 3 or pixels[offset + 3] > 127:
            boxes.setdefault((red >> 5) << 6 | (green >> 5) << 3 | blue >> 5, []).append((red, green, blue))
    largest_box = max(boxes.values(), key=len, default=[(255, 255, 255)])
    return "#" + "".join(f"{round(sum(band) / len(largest_box)):02x}" for band in zip(*largest_box, strict=True))
