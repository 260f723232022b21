"""What a file is, by its own bytes: the kinds that are taken, and the names of those that are not."""

from __future__ import annotations

from collections.abc import Iterator

TAKEN = "JPEG, PNG, WebP and AVIF"

_STARTS = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
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


def kind_of(data: bytes) -> str | None:
    """The kind of picture (or document) that these bytes begin, or None if they begin no picture."""
    for start, kind in _STARTS:
        if data.startswith(start):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[4:8] == b"ftyp":
        return _isobmff(data)
    head = data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if head.startswith(b"<svg") or (
        head.startswith((b"<?xml", b"<!--", b"<!doctype svg")) and b"<svg" in head
    ):
        return "SVG"
    return None


def _isobmff(data: bytes) -> str | None:
    """AVIF, HEIC or a film, by the brands in the first box."""
    length = int.from_bytes(data[:4], "big")
    box = data[8 : min(max(length, 16), 256)]
    brands = {box[:4], *(box[at : at + 4] for at in range(8, len(box), 4))}
    if brands & {b"avif", b"avis"}:
        return "AVIF"
    return "HEIC" if brands & _HEIC else "Video"


def is_animated(kind: str, data: bytes) -> bool:
    """Whether the header announces more than one frame (APNG, animated WebP, an AVIF sequence)."""
    if kind == "PNG":
        return b"acTL" in _png_chunks(data)
    if kind == "WebP":
        return data[12:16] == b"VP8X" and len(data) > 20 and bool(data[20] & 0x02)
    return kind == "AVIF" and data[8:12] == b"avis"


def is_lossless(kind: str, data: bytes) -> bool:
    """Whether the pixels were stored without loss (PNG; WebP of that kind)."""
    return kind == "PNG" or (kind == "WebP" and data[12:16] == b"VP8L")


def _png_chunks(data: bytes) -> Iterator[bytes]:
    """Names of the chunks before the pixels."""
    at = 8
    while at + 8 <= len(data) and (name := data[at + 4 : at + 8]) != b"IDAT":
        yield name
        at += 12 + int.from_bytes(data[at : at + 4], "big")
