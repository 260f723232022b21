"""Rules for every template and static file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vetrina.web import STATIC, environment, static, template_names
from vetrina.web.assets import static_files

TEMPLATES = list(template_names().values())
NAMES = list(template_names())
PAGES = {name: path for name, path in template_names().items() if not name.endswith(".mail")}
"""Templates of pages; mail programs read no style sheets, so the HTML part of a mail is styled inline."""


@pytest.mark.parametrize("name", NAMES)
def test_template_compiles(name: str) -> None:
    environment().get_template(name)


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_template_complies_with_content_security_policy(path: Path) -> None:
    text = re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL)
    assert not re.search(r"<style|\sstyle=[\"']|\son[a-z]+=\"|javascript:", text), "no inline style or script"
    data = r'type="application/ld\+json"'  # is not run
    assert not re.search(rf"<script(?![^>]*\bsrc=)(?! {data}>)", text), "scripts are files"
    assert "|safe" not in text, "nothing leaves unescaped"


@pytest.mark.parametrize("path", TEMPLATES, ids=NAMES)
def test_its_static_files_exist(path: Path) -> None:
    for name in re.findall(r"static\(['\"]([^'\"]+)['\"]\)", path.read_text()):
        assert static(name).endswith(name)


def test_every_icon_is_in_the_sprite() -> None:
    drawn = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "vendor/icons.svg").read_text()))
    requested = {
        name
        for path in TEMPLATES
        for name in re.findall(r"""(?:\b(?:icon|empty)\(|"icon": )["']([a-z0-9-]+)["']""", path.read_text())
    }
    assert requested <= drawn, f"run scripts/vendor.py --icons for {sorted(requested - drawn)}"


def test_nothing_is_fetched_from_elsewhere() -> None:
    for path in (path for name, path in static_files().items() if name.startswith(("css/", "js/"))):
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://(?!127\.0\.0\.1)", text), path.name


def test_a_missing_file_fails_at_once() -> None:
    with pytest.raises(FileNotFoundError):
        static("css/none.css")
