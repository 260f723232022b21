"""Colour spaces that a file names by other means than an ICC profile.

- AVIF, HEIC: the `colr` box of the primary item, as code points (CICP);
- PNG: the chunks cICP, sRGB, gAMA and cHRM, in that order (PNG, third edition, 4.3);
- all: EXIF, where ColorSpace 65535 with InteroperabilityIndex R03 is Adobe RGB (DCF 2.0; Exif 2.3, A.2.3).

Code points: ITU-T H.273 (2021), tables 2 and 3.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from vetrina.media.processing.file_types import png_chunks

Point = tuple[float, float]
"""CIE 1931 x and y."""

D65: Point = (0.3127, 0.3290)


class ColourSpace(NamedTuple):
    """An RGB colour space. `transfer` is srgb, pq, hlg, or the exponent from signal to light."""

    red: Point
    green: Point
    blue: Point
    white: Point
    transfer: str | float

    @property
    def high_dynamic_range(self) -> bool:
        """Whether the signal goes far beyond a diffuse white."""
        return self.transfer in ("pq", "hlg")


SRGB = ColourSpace((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), D65, "srgb")
ADOBE_RGB = ColourSpace((0.64, 0.33), (0.21, 0.71), (0.15, 0.06), D65, 563 / 256)
"""Adobe RGB (1998) colour image encoding, 4.3.1 and 4.3.4: its exponent is 2 + 51/256."""

_PRIMARIES: dict[int, tuple[Point, Point, Point, Point]] = {
    1: SRGB[:4],
    4: ((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), (0.310, 0.316)),
    5: ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), D65),
    6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), D65),
    7: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), D65),
    8: ((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), (0.310, 0.316)),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), D65),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), D65),
    22: ((0.630, 0.340), (0.295, 0.605), (0.155, 0.077), D65),
}
_TRANSFERS: dict[int, str | float] = {4: 2.2, 5: 2.8, 8: 1.0, 16: "pq", 18: "hlg"}
"""Others are shown as sRGB: the curves of BT.709, BT.601 and BT.2020 describe cameras, not displays."""


def declared_space(kind: str, data: bytes, image: Any) -> ColourSpace | None:
    """Return the colour space that the file declares; None for sRGB and where its ICC profile decides."""
    has_profile = image.get_typeof("icc-profile-data") != 0
    space: ColourSpace | None = None
    if kind == "PNG":
        chunks = {name: payload for name, payload in png_chunks(data) if name in (b"cICP", b"sRGB", b"gAMA", b"cHRM")}
        if len(chunks.get(b"cICP", b"")) == 4:
            has_profile, space = False, _by_code_points(*chunks[b"cICP"][:2])
        elif not has_profile and b"sRGB" not in chunks:
            space = _png_gamma(chunks.get(b"gAMA"), chunks.get(b"cHRM"))
        if chunks:
            return None if has_profile or space == SRGB else space
    elif kind in ("AVIF", "HEIC") and (points := avif_code_points(data)) is not None:
        space = _by_code_points(*points)
        return None if has_profile or space == SRGB else space
    return ADOBE_RGB if not has_profile and _exif_adobe_rgb(image) else None


def _by_code_points(primaries: int, transfer: int) -> ColourSpace | None:
    """Return the space of two H.273 code points; None for primaries that are unspecified or unknown."""
    points = _PRIMARIES.get(primaries)
    curve = _TRANSFERS.get(transfer, "srgb")
    if points is None:
        return SRGB._replace(transfer=curve) if curve != "srgb" else None
    return ColourSpace(*points, curve)


def _png_gamma(gamma: bytes | None, chromaticities: bytes | None) -> ColourSpace | None:
    """Return the space of the chunks gAMA (the inverse exponent) and cHRM, both in 100,000ths."""
    space = SRGB
    if chromaticities is not None and len(chromaticities) == 32:
        values = [int.from_bytes(chromaticities[i : i + 4], "big") / 100_000 for i in range(0, 32, 4)]
        white, red, green, blue = zip(values[::2], values[1::2], strict=True)
        points = (red, green, blue, white)
        is_srgb = all(math.dist(point, own) < 0.003 for point, own in zip(points, SRGB[:4], strict=True))
        if not is_srgb and all(x >= 0 and y > 0 and x + y <= 1 for x, y in points):
            space = ColourSpace(red, green, blue, white, "srgb")
    if gamma is not None and len(gamma) == 4:
        exponent = 100_000 / max(int.from_bytes(gamma, "big"), 1)
        if not 2.1 < exponent < 2.3 and 0.1 < exponent < 10:  # about 2.2 stands for sRGB's own curve
            space = space._replace(transfer=exponent)
    return space


def _exif_adobe_rgb(image: Any) -> bool:
    """Return whether EXIF says Adobe RGB. Values read `R03 (R03, ASCII, 4 components, 4 bytes)`."""

    def value(name: str) -> str:
        return str(image.get(name)).partition(" ")[0] if image.get_typeof(name) != 0 else ""

    return value("exif-ifd4-InteroperabilityIndex") == "R03" and value("exif-ifd2-ColorSpace") != "1"


def avif_code_points(data: bytes) -> tuple[int, int] | None:
    """Return primaries and transfer of the primary item's `colr` box of type nclx, or None."""
    meta = next((body[4:] for name, body in _boxes(data) if name == b"meta"), b"")
    boxes = dict(_boxes(meta))
    item = boxes.get(b"pitm", b"")
    primary = int.from_bytes(item[4:6] if item[:1] == b"\0" else item[4:8], "big")
    properties = dict(_boxes(boxes.get(b"iprp", b"")))
    shared = list(_boxes(properties.get(b"ipco", b"")))
    for index in _associations(properties.get(b"ipma", b""), primary):
        name, body = shared[index - 1] if 0 < index <= len(shared) else (b"", b"")
        if name == b"colr" and body[:4] == b"nclx" and len(body) >= 8:
            return int.from_bytes(body[4:6], "big"), int.from_bytes(body[6:8], "big")
    return None


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield type and payload of each ISO base media box (ISO/IEC 14496-12, 4.2)."""
    offset = 0
    while offset + 8 <= len(data):
        size, header = int.from_bytes(data[offset : offset + 4], "big"), 8
        if size == 1:
            size, header = int.from_bytes(data[offset + 8 : offset + 16], "big"), 16
        elif size == 0:
            size = len(data) - offset
        if size < header:
            return
        yield data[offset + 4 : offset + 8], data[offset + header : offset + size]
        offset += size


def _associations(body: bytes, item: int) -> Iterator[int]:
    """Yield the numbers of the item's properties, from an `ipma` box (ISO/IEC 23008-12, 9.3.2)."""
    version, wide = body[:1], bool(body[3] & 1) if len(body) > 3 else False
    id_size, index_size = (2 if version == b"\0" else 4), (2 if wide else 1)
    offset = 8
    for _ in range(int.from_bytes(body[4:8], "big")):
        if offset + id_size >= len(body):
            return
        identity = int.from_bytes(body[offset : offset + id_size], "big")
        count = body[offset + id_size]
        offset += id_size + 1
        for position in range(count):
            start = offset + position * index_size
            number = int.from_bytes(body[start : start + index_size], "big")
            if identity == item:
                yield number & (0x7FFF if wide else 0x7F)
        offset += count * index_size
