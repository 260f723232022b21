"""The job that writes the daily mail."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from vetrina.accounts.notifications.render import LetterTemplates
from vetrina.core.database.connection import Tx
from vetrina.core.jobs.queue import job
from vetrina.core.messages.outbox import Letter, post
from vetrina.core.services import Services
from vetrina.notifications import presenters
from vetrina.notifications.digest import links, queries
from vetrina.notifications.digest.queries import DueRow
from vetrina.notifications.model import Channel
from vetrina.notifications.preferences import actions as preferences
from vetrina.web import i18n
from vetrina.web.i18n import say

ACCOUNTS = 200
"""Accounts that are looked up at a time."""
LINES = 20
"""Notifications in one mail at most; the rest is on the page."""


@job("notifications.send_digests", queue="core", every="0 7 * * *")
async def send_digests(services: Services) -> None:
    """Write to every account with something unread that it wants by mail, each in a transaction of its own."""
    after = UUID(int=0)
    while True:
        async with services.db.read() as tx:
            due = await tx.fetch_all(queries.DUE, after=after, limit=ACCOUNTS)
        for account in due:
            async with services.db.tx() as tx:
                await _send(tx, services, account)
        if len(due) < ACCOUNTS:
            return
        after = due[-1].id


async def _send(tx: Tx, services: Services, account: DueRow) -> None:
    chosen = await preferences.chosen(tx, services, account.id)
    kinds = [kind for (kind, channel), is_on in chosen.items() if channel == Channel.MAIL and is_on]
    rows = await tx.fetch_all(queries.UNREAD, account=account.id, kinds=kinds, limit=LINES)
    if not rows or not await tx.execute(queries.TAKE, account=account.id):
        return
    with i18n.use(i18n.named(account.language) or "en"):
        letter = _letter(services, account, [item.text for item in presenters.notifications(services, rows)])
    await post(tx, services, letter)
    await tx.execute(queries.MARK_MAILED, account=account.id)


def _letter(services: Services, account: DueRow, lines: list[str]) -> Letter:
    site = urlsplit(services.settings.address).hostname or "Vetrina"
    subject = say("What you have not seen yet at {site}", site=site)
    page = f"{services.settings.address}/notifications"
    stop = links.address(services, account.id)
    link, after = say("See all notifications"), say("To get no more of these mails:")
    text = "\n\n".join([*lines, f"{link}:\n{page}", f"{after}\n{stop}"]) + "\n"
    html = (
        services.get(LetterTemplates)
        .get("accounts/notifications/letter.mail")
        .render(
            lang=i18n.current(),
            dir=i18n.direction(i18n.current()),
            title=subject,
            lines=lines,
            code=None,
            link={"url": page, "title": link},
            after=[f"{after} {stop}"],
        )
    )
    assert account.email is not None, "accounts that are due have an address"
    return Letter("mail", account.email, text, f"{subject} · Vetrina", html, unsubscribe=stop)
