"""The text of a post as HTML: lines, links and tags."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from vetrina.gallery.posts.actions import TAG

_PART = re.compile(rf"(?P<link>https?://[^\s<>\"]+[^\s<>\".,;:!?)\]])|(?P<tag>{TAG.pattern})")


def rich_text(text: str) -> Markup:
    """Return the text with its links and tags as HTML links; everything else is escaped."""
    result, end = Markup(""), 0
    for match in _PART.finditer(text):
        result += escape(text[end : match.start()])
        if link := match["link"]:
            label = re.sub(r"^https?://(www\.)?", "", link)
            result += Markup('<a href="{}" rel="nofollow noopener noreferrer ugc">{}</a>').format(link, label)
        else:
            result += Markup('<a href="/explore?tag={}">{}</a>').format(match["tag"][1:].lower(), match["tag"])
        end = match.end()
    return Markup("<br>").join((result + escape(text[end:])).split("\n"))
