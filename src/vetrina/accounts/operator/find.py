"""The operators' search: accounts, and what the modules' `searches` look up, exact hits first."""

from __future__ import annotations

from vetrina.accounts.operator import actions as accounts
from vetrina.accounts.operator.model import ManagedAccount
from vetrina.core.database.connection import Tx
from vetrina.core.module import SearchGroup, SearchHit
from vetrina.core.services import Services
from vetrina.web.i18n import say

SHOWN = 10


async def search(services: Services, text: str) -> list[SearchGroup]:
    """Return the groups with hits; groups with an exact hit come first. Nothing for an empty text."""
    text = text.strip()
    if not text or "\0" in text:
        return []
    async with services.db.read() as tx:
        groups = [await group(tx, text) for group in services.modules.searches]
    return sorted((group for group in groups if group.hits), key=lambda group: not any(hit.exact for hit in group.hits))


async def search_accounts(tx: Tx, text: str) -> SearchGroup:
    """Return accounts by id, or by a prefix of address, phone, handle or name; exact ones first."""
    page = await accounts.search(tx, text, None, SHOWN)
    hits = [_hit(account, text.lower().removeprefix("@")) for account in page.items]
    hits.sort(key=lambda hit: not hit.exact)
    return SearchGroup("accounts", say("Accounts"), hits, more=page.next_cursor is not None, href="/operator/accounts?q=")


def _hit(account: ManagedAccount, text: str) -> SearchHit:
    identifiers = [str(account.id), account.email, account.phone, account.handle, account.name]
    title = account.name or account.email or account.phone or str(account.id)
    about = [account.email, account.phone, f"@{account.handle}" if account.handle else None]
    detail = " · ".join(item for item in about if item and item != title)
    return SearchHit(title, f"/operator/accounts/{account.id}", detail, text in {(item or "").lower() for item in identifiers})
