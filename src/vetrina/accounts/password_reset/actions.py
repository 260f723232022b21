"""Resetting a password with a code."""

from __future__ import annotations

from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.model import Caller, CodeKind, Kind
from vetrina.accounts.notifications import actions as notifications
from vetrina.accounts.notifications.actions import Notice
from vetrina.accounts.passwords import Hasher
from vetrina.accounts.sessions import actions as sessions
from vetrina.accounts.sign_in.actions import choose_account
from vetrina.accounts.verification import actions as verification
from vetrina.accounts.verification import queries as verification_queries
from vetrina.accounts.verification.model import IdentifierReleased, WrongCode
from vetrina.core import audit, usage
from vetrina.core.audit import Actor
from vetrina.core.database.ids import AccountId
from vetrina.core.services import Services


async def reset(
    services: Services,
    to: Identifier,
    *,
    kind: CodeKind,
    code: str,
    password: str,
    caller: Caller,
    chosen: Kind | None = None,
    by_link: bool = False,
) -> Kind:
    """Set a new password, end every session and return the account's kind.

    A second factor stays, unless no identifier was confirmed before. An identifier that was never confirmed does not open an
    account with a confirmed one: it is released, and its owner can register with it. A code of the kind "any" is for the account
    that there is; `chosen` decides between two. Raises WeakPassword, WrongCode (422), ChooseKind (409; the code stays valid),
    IdentifierReleased (409), TooManyGuesses, Busy (429).
    """
    password_hash = await services.get(Hasher).hash(password)
    async with services.db.tx() as tx:
        confirmed = target = None
        if await verification.check_code(tx, services, to, kind=kind, purpose="password_reset", code=code, by_link=by_link):
            target = choose_account(await verification.accounts_of(tx, to), kind, chosen)
        if target is not None:
            confirmed = await verification.confirm_identifier(tx, to, kind=target.kind, password_hash=password_hash)
        if target is not None and confirmed is not None:
            account = AccountId(confirmed.account_id)
            if confirmed.outcome == "owned":
                await tx.execute(verification_queries.RELEASE_IDENTIFIER, account=account, email=to.email, phone=to.phone)
                notice: Notice = "identifier_released"
            else:
                await audit.set_actor(tx, Actor(target.kind, account, caller.ip))
                await sessions.revoke_all(tx, account, why="password reset")
                await usage.record(tx, account, "password_reset", {"channel": to.channel})
                notice = "password_changed"
            await notifications.notify_account(tx, services, account, notice=notice, language=caller.language)
    if target is None or confirmed is None:
        raise WrongCode
    if confirmed.outcome == "owned":
        raise IdentifierReleased
    return target.kind
