"""Base templates, components and static files; no routes and nothing of the domain.

Each module keeps its own pages in `<module>/templates/<module>/`; `environment` finds them all.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import jinja2

from vetrina.web import words
from vetrina.web.assets import STATIC, static

HERE = Path(__file__).resolve().parent

__all__ = ["STATIC", "environment", "static", "template_folders"]


def template_folders() -> list[Path]:
    """The template folders of this package and of every module that has one."""
    return [HERE / "templates", *sorted(HERE.parent.glob("*/templates"))]


def environment() -> jinja2.Environment:
    """Templates of all modules, escaping always on, an undefined name an error rather than a gap."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_folders()),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words_and_files: dict[str, Callable[..., str]] = {"static": static, "_": words.say, "_n": words.count}
    made.globals.update(words_and_files)
    filters: dict[str, Callable[..., str]] = {
        "number": words.number,
        "filesize": words.filesize,
        "money": words.money,
        "duration": words.duration,
        "ago": words.ago,
        "day": words.day,
        "moment": words.moment,
    }
    made.filters.update(filters)
    return made
