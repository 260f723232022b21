"""Cut the web fonts into files that a page needs and files that few pages need: `python -m scripts.subset_fonts`.

Reads `static/vendor/fonts` (receipts use those whole), writes `static/fonts`: letters by script and by how common they are, and
only the weights that the style sheets use. `css/fonts.css` names each file with its unicode-range, so that a browser fetches what
its page has letters of. Run it after `scripts/vendor.py`; commit what it writes.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

STATIC = Path(__file__).resolve().parents[1] / "src" / "vetrina" / "web" / "static"
VENDOR, TARGET = STATIC / "vendor" / "fonts", STATIC / "fonts"

LATIN = "U+0020-007E, U+00A0, U+00A9, U+00B7, U+00D7, U+00E9, U+2013-2014, U+2018-2019, U+201C-201D, U+2022, U+2026, U+2192"
"""English, and the signs that pages use beside it."""
PERSIAN = (
    "U+060C, U+061B, U+061F, U+0621-0624, U+0626-063A, U+0640-0642, U+0644-0648, U+064B, U+0651, U+0654, U+066A-066C, U+067E, "
    "U+0686, U+0698, U+06A9, U+06AF, U+06CC, U+06F0-06F9, U+200C-200D"
)
"""What Persian is written with; further Arabic letters and vowel signs are in the other file."""

FONTS: list[tuple[str, str, str, tuple[float, float]]] = [
    ("figtree-latin", "figtree", LATIN, (400, 600)),
    ("bodoni-moda-latin", "bodoni-moda", LATIN, (450, 450)),
    ("vazirmatn-arabic", "vazirmatn", PERSIAN, (400, 600)),
]
"""Source, name, the ranges of the common file, and the weights in use."""


def code_points(ranges: str) -> set[int]:
    """Return the code points of a list of ranges, as CSS writes it."""
    points: set[int] = set()
    for part in ranges.replace("U+", "").split(","):
        first, _, last = part.strip().partition("-")
        points.update(range(int(first, 16), int(last or first, 16) + 1))
    return points


def ranges_of(points: set[int]) -> str:
    """Return a list of ranges, as CSS writes it."""
    ranges: list[list[int]] = []
    for point in sorted(points):
        if ranges and point == ranges[-1][1] + 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    return ", ".join(f"U+{first:04X}" if first == last else f"U+{first:04X}-{last:04X}" for first, last in ranges)


def cut(source: Path, target: Path, points: set[int], weights: tuple[float, float]) -> int:
    """Write the letters of `points` and the weights in use; return the file's size in bytes."""
    font: Any = TTFont(source, recalcTimestamp=False)
    options: Any = Options()
    options.layout_features = (
        ["*"] if "vazirmatn" in source.name else ["kern", "liga", "calt", "ccmp", "locl", "mark", "mkmk", "tnum"]
    )
    options.hinting, options.name_IDs, options.notdef_outline = False, [1, 2, 13, 14], True
    options.glyph_names, options.flavor = False, "woff2"
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=points)
    subsetter.subset(font)
    low, high = weights
    font = instancer.instantiateVariableFont(font, {"wght": low if low == high else weights})
    font.flavor = "woff2"
    font.save(target)
    return target.stat().st_size


def main() -> None:
    """Write the files and print their ranges and sizes."""
    logging.disable(logging.WARNING)
    TARGET.mkdir(exist_ok=True)
    for source_name, name, ranges, weights in FONTS:
        source = VENDOR / f"{source_name}-wght-normal.woff2"
        every = set(TTFont(source).getBestCmap() or {})
        common = code_points(ranges) & every
        for part, points in (("common", common), ("rest", {point for point in every - common if point > 0xA0})):
            size = cut(source, TARGET / f"{name}-{part}.woff2", points, weights)
            print(f"{name}-{part}: {size} bytes, weights {weights[0]:.0f} {weights[1]:.0f}, {ranges_of(points)}")


if __name__ == "__main__":
    main()
