"""Renders messages about an account as mail (text and HTML) or SMS, in the recipient's language."""

from __future__ import annotations

from typing import Any, Self
from urllib.parse import urlsplit

import jinja2

from vetrina import web
from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.model import Purpose
from vetrina.accounts.notifications.actions import Notification
from vetrina.accounts.notifications.messages import CODES, NOTICES, UNCONFIRMED, Words
from vetrina.core.messages.outbox import Letter
from vetrina.core.services import Services
from vetrina.web import i18n
from vetrina.web.i18n import Language

_LINKS = {"email_verify": "/verify/link/", "password_reset": "/reset/link/"}
"""The path of a mail's link by purpose. The page has a button to press: opening the link changes nothing."""


_SAME_TEXT: dict[Purpose, Purpose] = {"email_change": "email_verify", "phone_change": "phone_verify"}
"""Codes that confirm a new address or number read like those that confirm one."""


def code(services: Services, to: Identifier, purpose: Purpose, language: Language, *, code: str, link_token: str) -> Letter:
    """Return the message that carries a code."""
    words = CODES[_SAME_TEXT.get(purpose, purpose)]
    path = _LINKS.get(purpose)
    url = f"{services.settings.address}{path}{link_token}" if path and words.link else None
    return _letter(services, to, words, language, code=code, url=url)


def unconfirmed(services: Services, to: Identifier, language: Language) -> Letter:
    """Return the SMS to a number that has to be confirmed before it can sign in by code."""
    return _letter(services, to, UNCONFIRMED, language)


def notice(services: Services, to: Identifier, notification: Notification) -> Letter:
    """Return the message of a notice; its link undoes a change, or chooses a new password."""
    path = f"/undo/{notification.undo}" if notification.undo else "/reset"
    url = f"{services.settings.address}{path}"
    return _letter(services, to, NOTICES[notification.notice], notification.language, url=url, reason=notification.reason)


def _letter(
    services: Services,
    to: Identifier,
    words: Words,
    language: Language,
    *,
    code: str | None = None,
    url: str | None = None,
    reason: str = "",
) -> Letter:
    with i18n.use(language):
        words = words.translated()
    site = urlsplit(services.settings.address).hostname or "Vetrina"
    if to.channel == "phone":
        text = words.sms.format(code=code, site=site, url=url, reason=reason)
        # The last line lets a browser on that phone offer the code to this site, and to no other.
        return Letter("sms", to.value, f"{text}\n\n@{site} #{code}" if code else text)
    lines = [line.format(site=site, reason=reason) for line in words.lines]
    link = {"url": url, "title": words.link} if url and words.link else None
    parts = [*lines, *([code] if code else []), *([f"{words.link}:\n{url}"] if link else []), *words.after, f"Vetrina · {site}"]
    context: dict[str, Any] = {"title": words.subject, "lines": lines, "code": code, "link": link, "after": words.after}
    template = services.get(LetterTemplates).get("accounts/notifications/letter.mail")
    html = template.render(lang=language, dir=i18n.direction(language), **context)
    return Letter("mail", to.value, "\n\n".join(parts) + "\n", f"{words.subject} · Vetrina", html)


class LetterTemplates:
    """The templates of letters."""

    def __init__(self) -> None:
        self._environment = web.environment()

    @classmethod
    def provide(cls, _: Services) -> Self:
        """Return the templates."""
        return cls()

    def get(self, name: str) -> jinja2.Template:
        """Return a template by its path."""
        return self._environment.get_template(name)
