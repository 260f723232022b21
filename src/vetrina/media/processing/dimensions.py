"""The number of pixels that a file's header announces, read without a decoder: the price of decoding it."""

from __future__ import annotations

from vetrina.media.processing.file_types import detect_kind, jpeg_segments, tiff_tags

MAX_PIXELS = 40_000_000
"""Pixels of the largest image that is taken."""
HEAD = 256 * 1024
"""Bytes at the beginning of a file that are read for its header."""
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_TRAILING_BITS = 14


def pixel_count(head: bytes) -> int | None:
    """Return width times height as the header says, or None if it says nothing. The decoder checks the figures again."""
    kind = detect_kind(head)
    sides = _READERS[kind](head) if kind in _READERS else None
    return sides[0] * sides[1] if sides else None


def _png(head: bytes) -> tuple[int, int] | None:
    if len(head) < 24 or head[12:16] != b"IHDR":
        return None
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


def _jpeg(head: bytes) -> tuple[int, int] | None:
    for marker, segment in jpeg_segments(head):
        if marker in _FRAMES and len(segment) >= 5:
            return int.from_bytes(segment[3:5], "big"), int.from_bytes(segment[1:3], "big")
    return None


def _webp(head: bytes) -> tuple[int, int] | None:
    name, body = head[12:16], head[20:]
    if name == b"VP8X" and len(body) >= 10:
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if name == b"VP8L" and len(body) >= 5:
        bits = int.from_bytes(body[1:5], "little")
        mask = (1 << _TRAILING_BITS) - 1
        return (bits & mask) + 1, (bits >> _TRAILING_BITS & mask) + 1
    if name == b"VP8 " and len(body) >= 10:
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    return None


def _isobmff(head: bytes) -> tuple[int, int] | None:
    """Return the largest "ispe" property (ISO/IEC 23008-12, 6.5.3): tiles and thumbnails have their own."""
    sizes: list[tuple[int, int]] = []
    offset = head.find(b"ispe")
    while 0 <= offset <= len(head) - 16:
        sizes.append(
            (int.from_bytes(head[offset + 8 : offset + 12], "big"), int.from_bytes(head[offset + 12 : offset + 16], "big"))
        )
        offset = head.find(b"ispe", offset + 4)
    return max(sizes, key=lambda sides: sides[0] * sides[1], default=None)


def _tiff(head: bytes) -> tuple[int, int] | None:
    """Return the sides where the first directory is near the file's beginning; many programs write it at the end."""
    tags = tiff_tags(head)
    return (tags[256], tags[257]) if {256, 257} <= tags.keys() else None


_READERS = {"PNG": _png, "JPEG": _jpeg, "WebP": _webp, "AVIF": _isobmff, "HEIC": _isobmff, "TIFF": _tiff}
