"""File types by their own bytes: the kinds that are accepted, and the names of those that are not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

ACCEPTED = "JPEG, PNG, WebP, AVIF and TIFF"
ACCEPTED_WITH_HEIC = "JPEG, PNG, WebP, AVIF, HEIC and TIFF"

_MAGIC = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "BigTIFF"),
    (b"MM\x00+", "BigTIFF"),
    (b"BM", "BMP"),
    (b"8BPS", "Photoshop"),
    (b"%PDF-", "PDF"),
    (b"%!PS", "PostScript"),
    (b"\x00\x00\x01\x00", "ICO"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
)
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_HEIC_SEQUENCES = {b"hevc", b"hevx", b"msf1"}
_SUBFILE_TYPE, _COMPRESSION, _PHOTOMETRIC, _MAKE, _SUB_IFDS, _DNG_VERSION = 254, 259, 262, 271, 330, 50706
"""Tags of TIFF 6.0, its supplement 1, and DNG 1.4."""
_COLOUR_FILTER_ARRAY, _LOSSLESS_TIFF = 32803, {1, 5, 8, 32773, 32946}
_JPEG_VARIETIES = {0xC3: "Lossless JPEG", 0xC7: "Lossless JPEG", 0xCB: "Lossless JPEG", 0xCF: "Lossless JPEG", 0xF7: "JPEG-LS"}
_JPEG_FRAMES = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
"""Markers that begin a frame: SOF0 to SOF15 without DHT, JPG and DAC, and SOF55 of JPEG-LS."""


def detect_kind(data: bytes) -> str | None:
    """Return the kind of image (or document) that these bytes begin, or None if they begin no image.

    Varieties of JPEG that no browser shows have names of their own.
    """
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return _jpeg_variety(data) if kind == "JPEG" else _tiff_variety(data) if kind == "TIFF" else kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[4:8] == b"ftyp":
        return _isobmff(data)
    head = data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if head.startswith(b"<svg") or (head.startswith((b"<?xml", b"<!--", b"<!doctype svg")) and b"<svg" in head):
        return "SVG"
    return None


def _jpeg_variety(data: bytes) -> str:
    """Return JPEG, or the name of the variety by the marker and the precision of its first frame."""
    for marker, segment in jpeg_segments(data):
        if marker in _JPEG_FRAMES:
            if marker in _JPEG_VARIETIES:
                return _JPEG_VARIETIES[marker]
            return f"{segment[0]}-bit JPEG" if segment and segment[0] != 8 else "JPEG"
    return "JPEG"


def jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield marker and payload of each segment before the first scan; nothing more once they make no sense."""
    offset = 2
    while offset + 4 <= len(data) and data[offset] == 0xFF:
        marker = data[offset + 1]
        if marker == 0xFF:  # a fill byte
            offset += 1
            continue
        if marker in (0xD9, 0xDA):  # end of image, start of scan
            return
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:  # no payload
            offset += 2
            continue
        length = int.from_bytes(data[offset + 2 : offset + 4], "big")
        yield marker, data[offset + 4 : offset + 2 + length]
        offset += 2 + max(length, 2)


def _isobmff(data: bytes) -> str | None:
    """Return AVIF, HEIC or Video, by the brands in the first box."""
    length = int.from_bytes(data[:4], "big")
    box = data[8 : min(max(length, 16), 256)]
    brands = {box[:4], *(box[offset : offset + 4] for offset in range(8, len(box), 4))}
    if brands & {b"avif", b"avis"}:
        return "AVIF"
    return "HEIC" if brands & _HEIC else "Video"


def _tiff_variety(data: bytes) -> str:
    """Return TIFF, or "Camera raw" for the raw files that are TIFFs: their first picture is a small preview."""
    tags = tiff_tags(data)
    raw = tags.get(_SUBFILE_TYPE, 0) & 1 or _DNG_VERSION in tags or tags.get(_PHOTOMETRIC) == _COLOUR_FILTER_ARRAY
    return "Camera raw" if raw or data[8:10] == b"CR" or {_MAKE, _SUB_IFDS} <= tags.keys() else "TIFF"


def tiff_tags(data: bytes) -> dict[int, int]:
    """Return the first value (or the offset of the values) of each tag of the first picture (TIFF 6.0, section 2)."""
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    start = int.from_bytes(data[4:8], order)
    count = int.from_bytes(data[start : start + 2], order)
    tags: dict[int, int] = {}
    for offset in range(start + 2, min(start + 2 + 12 * count, len(data) - 11), 12):
        short = int.from_bytes(data[offset + 2 : offset + 4], order) == 3
        value = data[offset + 8 : offset + (10 if short else 12)]
        tags[int.from_bytes(data[offset : offset + 2], order)] = int.from_bytes(value, order)
    return tags


def is_animated(kind: str, data: bytes) -> bool:
    """Return whether the header announces more than one frame (APNG, animated WebP, a sequence in AVIF or HEIC)."""
    if kind == "PNG":
        return any(name == b"acTL" for name, _ in png_chunks(data))
    if kind == "WebP":
        return data[12:16] == b"VP8X" and len(data) > 20 and bool(data[20] & 0x02)
    return (kind == "AVIF" and data[8:12] == b"avis") or (kind == "HEIC" and data[8:12] in _HEIC_SEQUENCES)


def lossless_bytes(kind: str, data: bytes) -> int | None:
    """Return how many bytes hold the pixels of a file without loss (PNG; WebP and TIFF of that kind), else None.

    Profiles, EXIF and text beside the pixels do not count.
    """
    if kind == "PNG":
        return sum(length for name, length in _png_layout(data) if name == b"IDAT")
    if kind == "WebP":
        for name, length in _riff_layout(data):
            if name in (b"VP8 ", b"VP8L"):
                return length if name == b"VP8L" else None
    return len(data) if kind == "TIFF" and tiff_tags(data).get(_COMPRESSION, 1) in _LOSSLESS_TIFF else None


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and payload of each chunk before the pixels."""
    offset = 8
    for name, length in _png_layout(data):
        if name == b"IDAT":
            return
        yield name, data[offset + 8 : offset + 8 + length]
        offset += 12 + length


def _png_layout(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield name and length of each chunk."""
    offset = 8
    while offset + 8 <= len(data):
        length = int.from_bytes(data[offset : offset + 4], "big")
        yield data[offset + 4 : offset + 8], length
        offset += 12 + length


def _riff_layout(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield name and length of each chunk; they begin at even offsets."""
    offset = 12
    while offset + 8 <= len(data):
        length = int.from_bytes(data[offset + 4 : offset + 8], "little")
        yield data[offset : offset + 4], length
        offset += 8 + length + length % 2
