"""Letters are in the account's language, also those that an operator causes."""

from __future__ import annotations

from tests.accounts.auth_helpers import letters, registered
from tests.server import Site
from vetrina.accounts.notifications import actions as notifications
from vetrina.core.database.ids import AccountId


async def test_notice_is_in_the_language_that_the_account_has_chosen(posting: Site) -> None:
    await registered(posting, email="ada@example.com")
    await letters(posting, "ada@example.com")
    async with posting.services.db.tx() as tx:
        chosen = "update accounts.accounts set language = 'fa' where email = 'ada@example.com' returning id"
        row = await (await tx.connection.execute(chosen)).fetchone()
        assert row is not None
        # An operator's act, in an English browser.
        await notifications.notify_account(tx, posting.services, AccountId(row[0]), notice="password_changed", language="en")
    letter = (await letters(posting, "ada@example.com", 2))[0]
    assert letter["subject"].startswith("گذرواژهٔ شما عوض شد")
