"""The encoding in which an uploaded image is stored: no larger than its source, unless lossless storage needs it.

Pixels are always encoded again, so that nothing else of the file survives (metadata, a second file behind the image). By source:

- JPEG becomes JPEG of quality 92 without chroma subsampling, but of no better quality and sampling than the source has, since
  that would only add bytes. Where its encoder was better than ours, the quality is lowered by up to 9;
- lossy WebP, AVIF and HEIC become JPEG where that is no larger, else WebP of quality 80 to 45. AVIF and HEIC pack better than
  WebP, so that they may grow by half, where JPEG would grow five times;
- lossless files (PNG, lossless WebP, TIFF without JPEG inside) that are opaque photographs become JPEG of quality 92;
- flat artwork (a lossless file of less than one byte per pixel, which JPEG would blur) and images with transparency stay
  lossless. PNG stays PNG: encoded fast, or if that is larger than the source, slowly, and with a palette if it loses nothing.
  Lossless WebP stays so up to 8 megapixels.
"""

from __future__ import annotations

import pyvips

from vetrina.media.processing.file_types import jpeg_segments, lossless_bytes

QUALITY = 92
LOWEST_STEP = 9
"""How far below its source's quality a JPEG may go."""
WEBP_SIDE = 16_383
"""The longest side of a WebP, in pixels."""
SLOW_PIXELS = 8_000_000
"""Pixels up to which slow lossless encodings are tried: they take half a second per megapixel."""
_WEBP_QUALITIES = (80, 70, 60, 45)
_NO_METADATA, _FILTER_NONE, _FILTER_SUB = 0, 0x08, 0x10
"""VipsForeignKeep's "none", and PNG filters: for flat artwork, and for photographs at half the time of "all"."""
_FEW_COLOURS = {0, 3, 4}
"""Colour types of PNG (in its header, byte 25) that may have a palette: grey, palette, grey with alpha."""
_LUMINANCE_MEAN = 3_688 / 64
"""Mean of the luminance table of ITU-T T.81, table K.1, which JPEG qualities scale."""


def encode(image: pyvips.Image, kind: str, data: bytes) -> tuple[str, bytes]:
    """Return MIME type and bytes of an upright 8-bit sRGB image that was read from `data`, a file of `kind`."""
    lossless = lossless_bytes(kind, data)
    pixels = image.width * image.height
    if lossless is not None and (image.hasalpha() or lossless < pixels):
        return _lossless(image, kind, data, lossless)
    if kind == "JPEG":
        return "image/jpeg", _as_jpeg(image, data)
    if lossless is not None:
        return "image/jpeg", image.jpegsave_buffer(Q=QUALITY, keep=_NO_METADATA)
    return _lossy(image, kind, len(data))


def jpeg_quality(data: bytes) -> int:
    """Return a JPEG's quality (1 to 100) by its first quantisation table; 100 if there is none."""
    for marker, segment in jpeg_segments(data):
        if marker == 0xDB and len(segment) >= 65:
            wide = segment[0] >> 4
            table = segment[1 : 129 if wide else 65]
            entries = [int.from_bytes(table[n : n + 2], "big") for n in range(0, len(table), 2)] if wide else list(table)
            scale = sum(entries) / len(entries) / _LUMINANCE_MEAN * 100
            return max(1, min(100, round((200 - scale) / 2 if scale <= 100 else 5000 / scale)))
    return 100


def _as_jpeg(image: pyvips.Image, data: bytes) -> bytes:
    """Encode at most as finely as the source; more tightly while that is larger than the source."""
    best = min(QUALITY, jpeg_quality(data) + 1)
    source = pyvips.Image.new_from_buffer(data, "")
    coarse = source.get_typeof("jpeg-chroma-subsample") != 0 and source.get("jpeg-chroma-subsample") != "4:4:4"
    mode = "on" if coarse else "off"
    encoded = image.jpegsave_buffer(Q=best, subsample_mode=mode, keep=_NO_METADATA)
    for step in range(0, LOWEST_STEP + 1, 3):
        if len(encoded) <= len(data):
            break
        quality = max(1, best - step)
        encoded = image.jpegsave_buffer(Q=quality, subsample_mode=mode, optimize_coding=True, keep=_NO_METADATA)
    return encoded


def _lossy(image: pyvips.Image, kind: str, size: int) -> tuple[str, bytes]:
    large = max(image.width, image.height) > WEBP_SIDE
    if not image.hasalpha():
        encoded = image.jpegsave_buffer(Q=QUALITY, keep=_NO_METADATA)
        if len(encoded) <= size or large:
            return "image/jpeg", encoded
    elif large:
        return "image/png", image.pngsave_buffer(compression=3, filter=_FILTER_SUB, keep=_NO_METADATA)
    encoded = b""
    for quality in _WEBP_QUALITIES:
        encoded = image.webpsave_buffer(Q=quality, effort=2, keep=_NO_METADATA)
        if len(encoded) <= size * (1.5 if kind in ("AVIF", "HEIC") else 1):
            break
    return "image/webp", encoded


def _lossless(image: pyvips.Image, kind: str, data: bytes, size: int) -> tuple[str, bytes]:
    small = image.width * image.height <= SLOW_PIXELS
    if kind == "WebP" and small and max(image.width, image.height) <= WEBP_SIDE:
        return "image/webp", image.webpsave_buffer(lossless=True, effort=2, keep=_NO_METADATA)
    encoded = image.pngsave_buffer(compression=3, filter=_FILTER_SUB, keep=_NO_METADATA)
    if len(encoded) > size and small:
        slow = image.pngsave_buffer(compression=9, filter=_FILTER_NONE, keep=_NO_METADATA)
        encoded = min(encoded, slow, key=len)
    if kind == "PNG" and len(encoded) > size and small and data[25] in _FEW_COLOURS:
        palette = image.pngsave_buffer(palette=True, Q=100, dither=0, compression=9, filter=_FILTER_NONE, keep=_NO_METADATA)
        if len(palette) < len(encoded) and _same(image, palette):
            encoded = palette
    return "image/png", encoded


def _same(image: pyvips.Image, encoded: bytes) -> bool:
    """Return whether every pixel was kept."""
    decoded = pyvips.Image.new_from_buffer(encoded, "").colourspace("srgb")
    if image.hasalpha() and not decoded.hasalpha():
        decoded = decoded.bandjoin(255)
    return decoded.bands == image.bands and (decoded - image).abs().max() == 0
