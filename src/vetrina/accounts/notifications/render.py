"""Letters about one's account, by mail (text and HTML) or SMS, in English and Persian."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import jinja2

from vetrina import web
from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.notifications.actions import Notice
from vetrina.accounts.notifications.messages import CODES, NOTICES, UNCONFIRMED, Words
from vetrina.accounts.verification import actions as codes
from vetrina.accounts.verification.actions import Language, Sent
from vetrina.core.messages.outbox import Letter
from vetrina.core.services import Services

_LINKS = {"email_verify": "/verify/link/", "password_reset": "/reset/link/"}
"""What a letter's link opens, by purpose; a person then presses a button: opening a link changes nothing."""


def code(services: Services, sent: Sent) -> Letter:
    """The letter that brings a code."""
    words = CODES[sent.language][sent.purpose]
    way = _LINKS.get(sent.purpose)
    url = f"{services.settings.address}{way}{codes.link(services, sent)}" if way and words.link else None
    return _letter(services, sent.to, words, sent.language, code=sent.code, url=url)


def unconfirmed(services: Services, sent: Sent) -> Letter:
    """The SMS to a number that cannot sign in by code yet."""
    return _letter(services, sent.to, UNCONFIRMED[sent.language], sent.language)


def notice(services: Services, to: Identifier, told: Notice, language: Language) -> Letter:
    """The letter that tells what happened."""
    return _letter(services, to, NOTICES[language][told], language, url=f"{services.settings.address}/reset")


def language(accepted: str | None) -> Language:
    """The language of ours that Accept-Language likes best; English for none of them."""
    best: tuple[float, Language] = (0.0, "en")
    for part in (accepted or "").split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            liked = float(weight) if weight else 1.0
        except ValueError:
            continue
        for known in ("en", "fa"):
            if tag.lower().split("-")[0] == known and liked > best[0]:
                best = (liked, known)
    return best[1]


def _letter(
    services: Services, to: Identifier, words: Words, language: Language, *, code: str | None = None, url: str | None = None
) -> Letter:
    site = urlsplit(services.settings.address).hostname or "Vetrina"
    if to.channel == "phone":
        text = words.sms.format(code=code, site=site)
        # The last line lets a browser on that phone offer the code to this site, and to no other.
        return Letter("sms", to.value, f"{text}\n\n@{site} #{code}" if code else text)
    lines = [each.format(site=site) for each in words.lines]
    link = {"url": url, "title": words.link} if url and words.link else None
    parts = [*lines, *([code] if code else []), *([f"{words.link}:\n{url}"] if link else []), *words.after, f"Vetrina · {site}"]
    context: dict[str, Any] = {"title": words.subject, "lines": lines, "code": code, "link": link, "after": words.after}
    page = services.part(_templates).get_template("accounts/notifications/letter.mail")
    html = page.render(lang=language, dir="rtl" if language == "fa" else "ltr", **context)
    return Letter("mail", to.value, "\n\n".join(parts) + "\n", f"{words.subject} · Vetrina", html)


def _templates(_: Services) -> jinja2.Environment:
    return web.environment()
