"""The pages, their rows and refusals."""

from __future__ import annotations

from datetime import datetime

import msgspec

from vetrina.core.errors import Refusal
from vetrina.web.i18n import N_, Language

TITLES = {
    "terms": N_("Terms of service"),
    "privacy": N_("Privacy policy"),
    "refunds": N_("Refund policy"),
    "imprint": N_("Imprint"),
    "contact": N_("Contact"),
}
"""Title by name; the page of that name is at /NAME."""
LIMIT = 40_000
"""Characters of one text."""


class SitePageRow(msgspec.Struct, frozen=True):
    """A page's text in one language, in Markdown."""

    name: str
    language: Language
    body: str
    updated_at: datetime


class SitePageKey(msgspec.Struct, frozen=True):
    """A page that has a text in this language."""

    name: str
    language: Language


class PageTooLong(Refusal):
    """A page has at most 40,000 characters."""

    status = 422
    constraint = "site_page_length"
    field = "body"
