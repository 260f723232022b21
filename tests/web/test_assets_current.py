"""Files that scripts make of vendored ones are up to date, and lose no letter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from scripts.subset_fonts import FONTS, TARGET, VENDOR, code_points
from scripts.utilities import FILES, pruned
from vetrina.web import STATIC


@pytest.mark.parametrize("direction", FILES)
def test_utilities_are_those_in_use(direction: str) -> None:
    path = STATIC / "css" / f"utilities{direction}.css"
    assert path.read_text("utf-8") == pruned(direction), "run python -m scripts.utilities"


def letters_of(font: Path) -> set[int]:
    return set(TTFont(font).getBestCmap() or {})


@pytest.mark.parametrize(("source", "name"), [(source, name) for source, name, _, _ in FONTS])
def test_two_files_have_every_letter_of_the_font(source: str, name: str) -> None:
    whole = {point for point in letters_of(VENDOR / f"{source}-wght-normal.woff2") if point >= 0x20}
    parts = [letters_of(TARGET / f"{name}-{part}.woff2") for part in ("common", "rest")]
    missing = whole - parts[0] - parts[1]
    assert not missing or (name == "vazirmatn" and max(missing) <= 0xA0), "Latin letters come from Figtree"
    assert not parts[0] & parts[1]


def test_files_of_a_family_have_one_range_of_weights() -> None:
    """Chromium takes the nearest range of weights first and looks for letters in its files alone."""
    sheet = (STATIC / "css" / "fonts.css").read_text()
    pairs = set(re.findall(r'font-family: "([^"]+)";\s+font-weight: ([\d ]+);', sheet))
    assert len(pairs) == len({family for family, _ in pairs}) == 3


def test_style_sheet_names_the_letters_of_its_files() -> None:
    sheet = (STATIC / "css" / "fonts.css").read_text()
    faces = dict(re.findall(r'url\("\.\./fonts/([\w-]+)\.woff2"\).*?unicode-range: ([^;]+);', sheet, flags=re.DOTALL))
    assert set(faces) == {path.stem for path in TARGET.glob("*.woff2")}
    for name, ranges in faces.items():
        assert code_points(" ".join(ranges.split())) == letters_of(TARGET / f"{name}.woff2"), name
