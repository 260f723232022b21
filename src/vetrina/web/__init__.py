"""Base templates, components and static files; no routes and no domain code.

A template is named after the package that holds it: "accounts/sign_in/code.html" is
`src/vetrina/accounts/sign_in/templates/code.html`; a name outside every package is one of `web/templates/`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import CodeType

import jinja2
from jinja2.bccache import Bucket

from vetrina.web import formatting as words
from vetrina.web import i18n
from vetrina.web.assets import STATIC, static
from vetrina.web.comparisons import TESTS, Comparisons, compare, test_of

HERE = Path(__file__).resolve().parent

__all__ = ["STATIC", "environment", "static", "template_folders", "template_names"]


def template_folders() -> list[Path]:
    """Return the template folders of this package, of every module and of every room."""
    own = HERE / "templates"
    return [own, *sorted({*HERE.parent.glob("*/templates"), *HERE.parent.glob("*/*/templates")} - {own})]


def template_names() -> dict[str, Path]:
    """Return every template, also the HTML parts of mails, by the name that `render` and `{% include %}` use."""
    names: dict[str, Path] = {}
    for folder in template_folders():
        package = "" if folder.parent == HERE else folder.parent.relative_to(HERE.parent).as_posix() + "/"
        paths = sorted([*folder.rglob("*.html"), *folder.rglob("*.mail")])
        names |= {package + path.relative_to(folder).as_posix(): path for path in paths}
    return names


class _Templates(jinja2.BaseLoader):
    def __init__(self) -> None:
        self._paths = template_names()

    def get_source(self, environment: jinja2.Environment, template: str) -> tuple[str, str | None, Callable[[], bool] | None]:
        path = self._paths.get(template)
        if path is None:
            raise jinja2.TemplateNotFound(template)
        read_at = path.stat().st_mtime
        return path.read_text("utf-8"), str(path), lambda: path.stat().st_mtime == read_at

    def list_templates(self) -> list[str]:
        return sorted(self._paths)


class _Compiled(jinja2.BytecodeCache):
    """Compiled templates of this process, for all of its environments: pages, mails, and those of every test."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._code[bucket.key, bucket.checksum] = bucket.code


_compiled = _Compiled()


class _Environment(jinja2.Environment):
    code_generator_class = Comparisons
    compare = staticmethod(compare)


def environment() -> jinja2.Environment:
    """Return the environment for the templates of all modules.

    Escaping is always on; undefined names are errors, and so are comparisons of a UUID with text.
    """
    templates = _Environment(
        loader=_Templates(),
        bytecode_cache=_compiled,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words_and_files: dict[str, Callable[..., str]] = {"static": static, "_": i18n.say, "_n": i18n.count}
    templates.globals.update(words_and_files)
    filters: dict[str, Callable[..., str]] = {
        "number": words.number,
        "filesize": words.filesize,
        "money": words.money,
        "duration": words.duration,
        "ago": words.ago,
        "day": words.day,
        "moment": words.moment,
        "moment_utc": words.moment_utc,
        "both": words.both,
    }
    templates.filters.update(filters)
    templates.tests.update({name: test_of(comparison) for name, comparison in TESTS.items()})
    return templates
