"""Words of the old private style: their counts only fall. `python -m scripts.words` lowers the ratchet in words.json."""

from __future__ import annotations

import json

import pytest

from scripts.words import BASELINE, area, counts, grown, tracked, words


def test_no_word_of_the_list_is_used_more_often_than_before() -> None:
    before = json.loads(BASELINE.read_text(encoding="utf-8"))
    assert grown(counts(tracked()), before) == [], "use the words of the field: STYLE.md, docs/glossary.md"


@pytest.mark.parametrize(
    ("path", "text", "used"),
    [
        ("a.py", "def tell_all(found):\n    made = found\n", {"name:tell": 1, "name:found": 1, "name:made": 1}),
        ("a.py", 'class Told:\n    """What nobody told."""\n', {"name:told": 1, "prose:nobody": 1, "prose:told": 1}),
        ("a.py", "print(found, 'told')  # told\n", {}),
        ("a.html", "<p class='told'>{{ told }} Nobody {% if told %}x{% endif %}</p>", {"prose:nobody": 1}),
        ("a.md", "Whoever `told` it.\n```\ntold\n```\n", {"prose:whoever": 1}),
    ],
)
def test_where_words_are_counted(path: str, text: str, used: dict[str, int]) -> None:
    assert dict(words(path, text)) == used


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("src/vetrina/wallet/packs/api.py", "src/vetrina/wallet"),
        ("src/vetrina/app.py", "src/vetrina"),
        ("tests/core/test_a.py", "tests/core"),
        ("tests/conftest.py", "tests"),
        ("docs/decisions/0001-a.md", "docs"),
        ("README.md", "."),
    ],
)
def test_files_are_counted_with_their_area(path: str, name: str) -> None:
    assert area(path) == name


def test_planted_word_is_detected() -> None:
    before = counts(iter([("src/vetrina/a/b.py", "told = 1\n")]))
    now = counts(iter([("src/vetrina/a/b.py", "told = 1\n"), ("src/vetrina/a/c.py", "def told(): ...\n")]))
    assert grown(before, before) == []
    assert grown(now, before) == ["src/vetrina/a: name:told 2 times, 1 before"]
    assert grown(before, now) == []
