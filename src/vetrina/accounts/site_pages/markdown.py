"""CommonMark with tables, rendered to HTML that is safe to embed: no HTML of the source, no images, no scripts in links."""

from __future__ import annotations

from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markupsafe import Markup


def to_html(text: str) -> Markup:
    """Return the text's HTML. Its headings begin at h2, below the page's own."""
    return Markup(_renderer().render(text))  # noqa: S704  # markdown-it escapes everything that is not its own markup


@cache
def _renderer() -> MarkdownIt:
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    renderer.core.ruler.push("lower_headings", _lower_headings)
    return renderer


def _lower_headings(state: StateCore) -> None:
    for token in state.tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + 1)}"
