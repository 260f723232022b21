"""The daily mail: once, of what is unread, with a link that stops it without a session."""

from __future__ import annotations

import re
from typing import Any

from tests.factories import Account, Make
from tests.server import Site
from vetrina.core.encryption import unseal
from vetrina.core.messages import mail
from vetrina.core.messages.outbox import Letter
from vetrina.notifications.actions import notify
from vetrina.notifications.digest import jobs


async def letters(site: Site) -> list[Letter]:
    """Return the queued letters of daily mails."""
    async with site.services.db.read() as tx:
        rows = await tx.connection.execute(
            "select args->>'letter' from procrastinate_jobs where task_name = 'core.deliver' order by id"
        )
        opened = [unseal(site.services.keys, letter, Letter) for (letter,) in await rows.fetchall()]
    return [letter for letter in opened if letter.unsubscribe]


async def notified(site: Site, account: Account, actor: Account, kind: str = "follow_request") -> None:
    """Notify an account of something that the daily mail has by default."""
    async with site.services.db.tx() as tx:
        await notify(tx, account.id, kind, actor=actor.id)


async def confirm(site: Site, account: Account, **columns: Any) -> None:
    """Confirm an account's address."""
    async with site.services.db.tx() as tx:
        await tx.connection.execute("update accounts.accounts set email_verified_at = now() where id = %s", (account.id,))


async def test_one_mail_a_day_of_what_is_unread(site: Site, make: Make) -> None:
    account, actor, quiet = [await make.account() for _ in range(3)]
    for person in (account, quiet):
        await confirm(site, person)
    await notified(site, account, actor)
    await notified(site, account, actor, "like")
    await notified(site, quiet, actor, "like")
    for _ in range(2):
        await jobs.send_digests(site.services)
    (letter,) = await letters(site)
    assert "Test asks to follow you" in letter.text and "liked" not in letter.text and letter.html
    message = mail.compose(
        site.services.settings, to=letter.to, subject=letter.subject, text=letter.text, html=None, unsubscribe=letter.unsubscribe
    )
    assert message["List-Unsubscribe"].replace("\n", "").replace(" ", "") == f"<{letter.unsubscribe}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


async def test_one_post_without_a_session_stops_the_mails(site: Site, make: Make) -> None:
    account, actor = await make.account(), await make.account()
    await confirm(site, account)
    await notified(site, account, actor)
    await jobs.send_digests(site.services)
    (letter,) = await letters(site)
    path = re.sub(r"^https?://[^/]+", "", letter.unsubscribe)
    assert (await site.client.get(path)).status_code == 200
    async with site.api(account) as client:
        assert not (await client.get("/notification-preferences")).json()["is_mail_stopped"], "opening a link changes nothing"
        answer = await site.client.post(path, data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200 and "no more daily mails" in answer.text
        assert (await client.get("/notification-preferences")).json()["is_mail_stopped"]
    assert (await site.client.post(path[:-4] + "aaaa")).status_code == 404
    async with site.services.db.tx() as tx:
        await tx.connection.execute("update notifications.digests set sent_at = now() - interval '2 days'")
    await notified(site, account, await make.account())
    await jobs.send_digests(site.services)
    assert len(await letters(site)) == 1


async def test_an_unconfirmed_address_gets_no_mail(site: Site, make: Make) -> None:
    account, actor = await make.account(), await make.account()
    async with site.services.db.tx() as tx:
        await tx.connection.execute("update accounts.accounts set email_verified_at = null where id = %s", (account.id,))
    await notified(site, account, actor)
    await jobs.send_digests(site.services)
    assert await letters(site) == []
