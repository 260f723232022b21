"""Conversion of a declared colour space to sRGB: an ICC profile made for it, or a tone curve for HDR."""

from __future__ import annotations

import math
import struct
from array import array
from typing import Any, cast

import pyvips

from vetrina.media.processing.colour_tags import SRGB, ColourSpace, Point

Matrix = list[list[float]]

REFERENCE_WHITE = 203.0
"""Luminance in cd/m2 of a diffuse white in HDR (ITU-R BT.2408, 2.1); it becomes almost sRGB's white."""
_KNEE = 0.75
"""Share of the reference white from which highlights are compressed."""
_DESCRIPTION = "Declared colour space".encode("utf-16-be")  # here: the isolated child cannot load an encoding
_D50 = (0.9642, 1.0, 0.8249)
_BRADFORD: Matrix = [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]


def with_profile(image: pyvips.Image, space: ColourSpace) -> pyvips.Image:
    """Return the image with an ICC profile of the space embedded; grey becomes RGB, CMYK stays as it is."""
    if image.interpretation == "cmyk":
        return image
    if image.bands < 3:
        image = image.colourspace("rgb16" if image.format == "ushort" else "srgb")
    image = image.copy()
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", cast(Any, icc_profile(space)))
    return image


def tone_map(image: pyvips.Image, space: ColourSpace) -> pyvips.Image:
    """Return an HDR image (PQ or HLG) as 8-bit sRGB.

    Colours up to three quarters of the reference white keep their luminance; above, the strongest channel
    follows a curve that never reaches white, and the others follow it, so that hues stay.
    """
    if image.bands < 3:
        image = image.colourspace("rgb16" if image.format == "ushort" else "srgb")
    alpha = image[3:] if image.bands > 3 else None
    steps = 65536 if image.format == "ushort" else 256
    signal = image[:3]
    linear: pyvips.Image = signal.maplut(_curve(space.transfer, steps))
    if space.transfer == "hlg":  # the display's part of the curve (BT.2100, note 5e): 1.2 at 1,000 cd/m2
        luminance = linear.recomb(_image([_to_xyz(space)[1]]))
        linear = linear * (luminance**0.2) * (1000 / REFERENCE_WHITE)
    strongest = _strongest(linear)
    compressed = _KNEE + (1 - _KNEE) * (1 - ((_KNEE - strongest) / (1 - _KNEE)).exp())
    scale = (strongest > _KNEE).ifthenelse(compressed / strongest, 1.0)
    result = (linear * scale).recomb(_image(_multiply(_inverse(_to_xyz(SRGB)), _to_xyz(space))))
    result = result.copy(interpretation="scrgb").colourspace("srgb").cast("uchar")
    if alpha is not None:
        result = result.bandjoin((alpha / (steps - 1) * 255).rint().cast("uchar"))
    return result.copy(interpretation="srgb")


def _strongest(image: pyvips.Image) -> pyvips.Image:
    red, green, blue = image.bandsplit()
    largest = (red > green).ifthenelse(red, green)
    return (largest > blue).ifthenelse(largest, blue)


def _curve(transfer: str | float, steps: int) -> pyvips.Image:
    """Return the table from signal to light: relative to the reference white for PQ, to the scene for HLG."""
    decode = _pq if transfer == "pq" else _hlg
    values = array("f", (decode(step / (steps - 1)) for step in range(steps)))
    return pyvips.Image.new_from_memory(values.tobytes(), steps, 1, 1, "float")


def _pq(signal: float) -> float:
    """Return light relative to the reference white (SMPTE ST 2084; BT.2100, table 4)."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    root = signal ** (1 / m2)
    return 10_000 / REFERENCE_WHITE * (max(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)


def _hlg(signal: float) -> float:
    """Return scene light, 0 to 1 (BT.2100, table 5)."""
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * math.log(4 * a)
    return signal * signal / 3 if signal <= 0.5 else (math.exp((signal - c) / a) + b) / 12


def icc_profile(space: ColourSpace) -> bytes:
    """Return a display profile of the space (ICC.1:2010, version 4.3: three primaries and a curve)."""
    adapted = _multiply(_adaptation(space.white), _to_xyz(space))
    columns = [[row[channel] for row in adapted] for channel in range(3)]
    if space.transfer == "srgb":
        curve = struct.pack(">4s4xHxx5i", b"para", 3, *map(_fixed, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)))
    else:
        curve = struct.pack(">4s4xHxxi", b"para", 0, _fixed(float(space.transfer)))
    words = struct.pack(">4s4xII2s2sII", b"mluc", 1, 12, b"en", b"US", len(_DESCRIPTION), 28) + _DESCRIPTION
    tags = [(b"desc", words), (b"cprt", words), (b"wtpt", _xyz(_D50))]
    tags += [(name, _xyz(column)) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)]
    tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")]
    directory, body = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for name, payload in tags:
        directory += name + struct.pack(">II", start + len(body), len(payload))
        body += payload + bytes(-len(payload) % 4)
    size = start + len(body)
    header = struct.pack(">I4xI4s4s4s12x4s24x", size, 0x04300000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    header += struct.pack(">I3i", 1, *map(_fixed, _D50))
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + directory + body


def _fixed(value: float) -> int:
    """Return the value as s15Fixed16."""
    return round(value * 65536)


def _xyz(values: Any) -> bytes:
    return struct.pack(">4s4x3i", b"XYZ ", *map(_fixed, values))


def _to_xyz(space: ColourSpace) -> Matrix:
    """Return the matrix from linear RGB to XYZ in which white has Y = 1."""
    primaries = [_tristimulus(point) for point in (space.red, space.green, space.blue)]
    columns = [[primary[row] for primary in primaries] for row in range(3)]
    scales = [sum(value * part for value, part in zip(row, _tristimulus(space.white), strict=True)) for row in _inverse(columns)]
    return [[value * scale for value, scale in zip(row, scales, strict=True)] for row in columns]


def _adaptation(white: Point) -> Matrix:
    """Return the Bradford adaptation from this white to D50, which ICC profiles are relative to."""
    own, target = (
        [sum(a * b for a, b in zip(row, xyz, strict=True)) for row in _BRADFORD] for xyz in (_tristimulus(white), _D50)
    )
    scaled = [[target[i] / own[i] * value for value in _BRADFORD[i]] for i in range(3)]
    return _multiply(_inverse(_BRADFORD), scaled)


def _tristimulus(point: Point) -> tuple[float, float, float]:
    x, y = point
    return x / y, 1.0, (1 - x - y) / y


def _multiply(left: Matrix, right: Matrix) -> Matrix:
    return [[sum(left[i][k] * right[k][j] for k in range(3)) for j in range(3)] for i in range(3)]


def _inverse(m: Matrix) -> Matrix:
    """Return the inverse of a 3 x 3 matrix, by its cofactors."""
    cofactors = [
        [m[(j + 1) % 3][(i + 1) % 3] * m[(j + 2) % 3][(i + 2) % 3] - m[(j + 1) % 3][(i + 2) % 3] * m[(j + 2) % 3][(i + 1) % 3]
         for j in range(3)] for i in range(3)
    ]  # fmt: skip
    determinant = sum(m[0][j] * cofactors[j][0] for j in range(3))
    return [[value / determinant for value in row] for row in cofactors]


def _image(matrix: Matrix) -> pyvips.Image:
    return pyvips.Image.new_from_array(matrix)
