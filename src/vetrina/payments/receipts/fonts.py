"""Fonts of receipts: which are needed for a text, and what is printed where none of them has a letter.

The letters of the pages come first (Figtree, Vazirmatn), then Noto Sans for the other scripts of names: Vietnamese, Cyrillic,
Greek, rare Latin letters, Hebrew, Armenian, Georgian, Devanagari. Every other letter (Chinese, say) is printed as U+FFFD,
which says that something stands there, and never left out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory

from vetrina.web import STATIC

FOLDER = STATIC / "vendor" / "fonts"
LATIN, ARABIC, REPLACEMENTS = "figtree-latin", "vazirmatn-arabic", "noto-sans-latin"
NAMES = (
    LATIN,
    "figtree-latin-ext",
    ARABIC,
    REPLACEMENTS,
    "noto-sans-latin-ext",
    "noto-sans-vietnamese",
    "noto-sans-cyrillic",
    "noto-sans-cyrillic-ext",
    "noto-sans-greek",
    "noto-sans-greek-ext",
    "noto-sans-hebrew",
    "noto-sans-armenian",
    "noto-sans-georgian",
    "noto-sans-devanagari",
)
"""In the order in which a letter is looked for."""
REPLACEMENT = "\ufffd"
_JOINERS = {"\u200c", "\u200d"}
"""They shape the letters beside them and are no letters themselves."""


def faces(name: str) -> Iterator[tuple[str, Path]]:
    """Yield the regular and the bold face of a font: style and file."""
    for style, weight, variation in (("", 400, 400.0), ("B", 700, 650.0)):
        if name.startswith("noto-"):
            yield style, FOLDER / f"{name}-{weight}-normal.woff2"
        else:
            yield style, _static(FOLDER / f"{name}-wght-normal.woff2", variation)


@cache
def _static(file: Path, weight: float) -> Path:
    """Return a copy of a variable font at one weight, kept as long as the process: making it takes longer than a receipt."""
    from fontTools.ttLib import TTFont  # pyright: ignore[reportMissingTypeStubs]  # large, and needed by no other page
    from fontTools.varLib import instancer  # pyright: ignore[reportMissingTypeStubs]

    with TTFont(file, recalcTimestamp=False, lazy=True) as font:
        instancer.instantiateVariableFont(font, {"wght": weight}, inplace=True, static=True)  # pyright: ignore[reportUnknownMemberType]
        font.flavor = None
        with NamedTemporaryFile(dir=_folder().name, suffix=".ttf", delete=False) as copy:
            font.save(copy.name)  # pyright: ignore[reportUnknownMemberType]
    return Path(copy.name)


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="vetrina-fonts-")


@cache
def coverage(name: str) -> frozenset[int]:
    """Return the code points of which a font has a glyph."""
    from fontTools.ttLib import TTFont  # pyright: ignore[reportMissingTypeStubs]  # large, and needed by no other page

    with TTFont(next(faces(name))[1], lazy=True) as font:
        return frozenset(font.getBestCmap() or ())


def printable(text: str) -> str:
    """Return `text` composed (NFC), without controls, and with REPLACEMENT for every letter that no font has."""
    visible = (
        char if char in _JOINERS or _has_glyph(char) else REPLACEMENT
        for char in unicodedata.normalize("NFC", text)
        if char in _JOINERS or unicodedata.category(char) not in {"Cc", "Cf", "Cs"}
    )
    return "".join(visible)


def needed(texts: Iterable[str]) -> list[str]:
    """Return the fonts, in order, that have the letters of printable texts; the first Latin one is always among them."""
    missing = {ord(char) for text in texts for char in text}
    names: list[str] = []
    for name in NAMES:
        if name == LATIN or missing & coverage(name):
            names.append(name)
            missing -= coverage(name)
    return names


def is_right_to_left(text: str, otherwise: bool) -> bool:
    """Return the direction of a paragraph by its first letter with one (UAX 9, P2), as `dir="auto"` does on pages."""
    for char in text:
        if (kind := unicodedata.bidirectional(char)) in {"L", "R", "AL"}:
            return kind != "L"
    return otherwise


def _has_glyph(char: str) -> bool:
    return any(ord(char) in coverage(name) for name in NAMES)
