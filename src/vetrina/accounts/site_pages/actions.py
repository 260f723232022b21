"""Write the operator's pages, and know which exist."""

from __future__ import annotations

from typing import Any, Self

from vetrina.accounts.site_pages import queries
from vetrina.accounts.site_pages.model import LIMIT, TITLES, PageTooLong
from vetrina.core.database.connection import Tx
from vetrina.core.errors import NotFound
from vetrina.core.module import Place
from vetrina.core.services import Services
from vetrina.web import i18n
from vetrina.web.i18n import Language


async def write(tx: Tx, name: str, language: str, body: str) -> None:
    """Set a page's text in one language; an empty one removes it. Raises NotFound (404), PageTooLong (422).

    A trigger writes the change to the audit log.
    """
    check_key(name, language)
    text = body.replace("\r\n", "\n").strip()
    if len(text) > LIMIT:
        raise PageTooLong
    if text:
        await tx.execute(queries.PUT, name=name, language=language, body=text)
    else:
        await tx.execute(queries.REMOVE, name=name, language=language)


def check_key(name: str, language: str) -> Language:
    """Return the language. Raises NotFound (404) for a page or a language that there is not."""
    code = i18n.named(language)
    if name not in TITLES or code is None:
        raise NotFound
    return code


class PublishedPages:
    """The names of the pages with a text in any language, kept current by notifications: the footer of every page reads them."""

    def __init__(self, services: Services) -> None:
        self._db = services.db
        self.names: list[str] = []
        services.hub.on_message("site_pages", self._on_message)

    @classmethod
    def provide(cls, services: Services) -> Self:
        """Return the list, kept up to date from now on."""
        return cls(services)

    async def _on_message(self, _: dict[str, Any] | None) -> None:
        async with self._db.read() as tx:
            written = {row.name for row in await tx.fetch_all(queries.KEYS)}
        self.names = [name for name in TITLES if name in written]


def footer(services: Services) -> list[Place]:
    """Return the footer's links to the pages that have a text."""
    return [Place(name, f"/{name}", TITLES[name]) for name in services.get(PublishedPages).names]
