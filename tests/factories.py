"""Accounts and what they own, made quickly and through the real functions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from vetrina.accounts import queries
from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.model import Client, Device, Kind
from vetrina.accounts.sessions import actions as sessions
from vetrina.accounts.sessions.middleware import cookie_name
from vetrina.accounts.sessions.tokens import SessionToken
from vetrina.accounts.verification import actions as verification
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.services import Services
from vetrina.wallet.ledger import actions as wallet
from vetrina.wallet.model import Asset
from vetrina.wallet.plans import verify as paid_time

Outcome = TypeVar("Outcome")

PASSWORD = "a long enough one"


@dataclass(frozen=True)
class Account:
    """A test's account: its ids and ways to act as it."""

    id: AccountId
    session_id: UUID
    email: str
    headers: dict[str, str]
    cookies: dict[str, str]


class Make:
    """Makes things in the test's database."""

    def __init__(self, services: Services) -> None:
        self.services = services

    async def account(
        self,
        *,
        tokens: int | None = None,
        kind: Kind = "user",
        email: str | None = None,
        phone: str | None = None,
        client: Client = "browser",
        confirmed: bool = True,
    ) -> Account:
        """An account without a usable password, its address `confirmed`, with `tokens` tokens (None: the welcome gift)."""
        account_id = new_id()
        email = email or f"{account_id.hex[-12:]}@example.com"
        services = self.services
        async with services.db.tx() as tx:
            # The welcome gift is a setting; this account is made under another one, which no other transaction sees.
            gift = await _welcome_tokens(tx, 0) if tokens is not None else None
            await tx.fetch_one(
                queries.INSERT_ACCOUNT, id=account_id, kind=kind, email=email, phone=phone, password_hash=None, name="Test"
            )
            if confirmed:
                await verification.confirm_identifier(tx, Identifier("email", email), kind=kind, account=account_id)
            if gift is not None:
                await _welcome_tokens(tx, gift)
            if tokens:
                await wallet.grant(tx, AccountId(account_id), Asset.TOKEN, tokens, source="gift", key="test")
            token = await sessions.insert_session(tx, account_id, Device("test", "127.0.0.1", client))
        access = sessions.access_token(services, token, kind)
        return Account(
            AccountId(account_id),
            token.session_id,
            email,
            {"Authorization": f"Bearer {access}"},
            {cookie_name(services): token.text()},
        )

    async def session(
        self, account: Account, *, agent: str = "test", ip: str = "127.0.0.1", client: Client = "browser"
    ) -> SessionToken:
        """Another session of the account."""
        async with self.services.db.tx() as tx:
            return await sessions.insert_session(tx, account.id, Device(agent, ip, client))

    async def balance(self, account: Account, asset: Asset = Asset.TOKEN) -> tuple[int, int]:
        """(balance, held) of the account."""
        async with self.services.db.read() as tx:
            row = await (
                await tx.connection.execute(
                    "select balance, held from wallet.wallets where account_id = %s and asset = %s", (account.id, asset.value)
                )
            ).fetchone()
        return (row[0], row[1]) if row else (0, 0)

    async def books(self) -> None:
        """Fails, naming the first wrong row, unless the books agree."""
        async with self.services.db.read() as tx:
            faults = [*await wallet.faults(tx), *await paid_time.faults(tx)]
        assert faults == [], faults[0]


async def _welcome_tokens(tx: Tx, count: int) -> int:
    """Set the welcome gift; return what it was."""
    rows = await tx.connection.execute(
        "with was as materialized (select value from core.settings where key = 'wallet.welcome_tokens' for update)"
        " update core.settings s set value = to_jsonb(%s::bigint) from was where s.key = 'wallet.welcome_tokens'"
        " returning (was.value #>> '{}')::bigint",
        (count,),
    )
    (was,) = await rows.fetchone() or (0,)
    return was


async def race(count: int, run: Callable[[], Awaitable[Outcome]]) -> list[Outcome | BaseException]:
    """What became of `count` calls that began together; exceptions are outcomes too."""
    return await asyncio.gather(*(run() for _ in range(count)), return_exceptions=True)
