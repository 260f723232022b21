"""Changes of an account's password, address and phone by its owner."""

from __future__ import annotations

from uuid import UUID

from vetrina.accounts import queries as account_queries
from vetrina.accounts.credentials import queries
from vetrina.accounts.credentials.model import UNDO_DAYS, NoPassword, SignInAgainToChange, UndoExpired, UndoLink
from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.identities.model import UndoIdentityLink
from vetrina.accounts.model import AccountRow, Caller, Kind, Purpose
from vetrina.accounts.notifications import actions as notifications
from vetrina.accounts.passwords import Hasher
from vetrina.accounts.second_factor import actions as second_factor
from vetrina.accounts.sessions import actions as sessions
from vetrina.accounts.verification import actions as verification
from vetrina.accounts.verification.model import WrongCode
from vetrina.core import audit, usage
from vetrina.core.audit import Actor
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.encryption import Broken, seal, unseal
from vetrina.core.services import Services


async def request_change(
    services: Services,
    account: AccountId,
    session: UUID,
    to: Identifier,
    *,
    kind: Kind,
    password: str | None,
    code: str | None,
    caller: Caller,
) -> None:
    """Send a code to a new address or number, after the password and, if there is one, the second factor.

    Raises WrongPassword, SignInAgainToChange (403), WrongCode (422), RateLimited, TooManyGuesses (429).
    """
    if not await second_factor.check_owner(services, account, password=password, code=code):
        async with services.db.read() as tx:
            if await tx.fetch_optional(queries.RECENT_SIGN_IN, account=account, session=session) is None:
                raise SignInAgainToChange
    purpose: Purpose = "email_change" if to.channel == "email" else "phone_change"
    await verification.request_code(services, to, kind=kind, purpose=purpose, caller=caller, change_of=account)


async def confirm_change(
    services: Services, account: AccountId, to: Identifier, *, kind: Kind, code: str, caller: Caller
) -> AccountRow:
    """Change the address or the number with the code that was sent there.

    The old one is notified and can undo the change for seven days. Raises WrongCode (422), EmailTaken, PhoneTaken (409),
    TooManyGuesses (429).
    """
    purpose: Purpose = "email_change" if to.channel == "email" else "phone_change"
    async with services.db.tx() as tx:
        is_right = await verification.check_code(tx, services, to, kind=kind, purpose=purpose, code=code, change_of=account)
        if is_right:
            await audit.set_actor(tx, caller.actor)
            await tx.fetch_one(queries.PROVE, account=account)
            change = await tx.fetch_one(
                queries.CHANGE_IDENTIFIER, account=account, id=new_id(), channel=to.channel, value=to.value, days=UNDO_DAYS
            )
            undo = seal(services.keys, UndoLink(account, change.id))
            if change.old_value is not None:
                old = Identifier(change.channel, change.old_value)
                await notifications.send_undo(tx, services, old, notice="identifier_undo", undo=undo, language=caller.language)
            elif change.other is not None:
                other = Identifier("phone" if change.channel == "email" else "email", change.other)
                await notifications.send_undo(tx, services, other, notice="identifier_added", undo=undo, language=caller.language)
            await notifications.notify_account(tx, services, account, notice="identifier_changed", language=caller.language)
            await usage.record(tx, account, "identifier_changed", {"channel": to.channel})
            return await tx.fetch_one(account_queries.ACCOUNT, account=account)
    raise WrongCode


async def undo(services: Services, token: str, *, caller: Caller) -> None:
    """Undo a change from the old address or number: it is the account's again, and what was set up since the change ends.

    Later changes are undone with it, and so are an address or number that was added and an identity that was linked in the
    seven days before.

    Sessions and the password end; a new one is chosen by a reset. The link of an identity that was linked does the same for
    that identity alone. Raises UndoExpired (410), EmailTaken, PhoneTaken (409).
    """
    try:
        link = unseal(services.keys, token, UndoLink)
    except Broken:
        await _undo_identity(services, token, caller=caller)
        return
    async with services.db.tx() as tx:
        await audit.set_actor(tx, Actor("user", link.undo_account, caller.ip))
        await tx.fetch_one(queries.PROVE, account=link.undo_account)
        undone = await tx.fetch_optional(queries.UNDO_CHANGE, account=link.undo_account, id=link.undo_change, days=UNDO_DAYS)
        if undone is None:
            raise UndoExpired
        await sessions.revoke_all(tx, link.undo_account, why="change of identifier undone")


async def _undo_identity(services: Services, token: str, *, caller: Caller) -> None:
    try:
        link = unseal(services.keys, token, UndoIdentityLink)
    except Broken:
        raise UndoExpired from None
    account = AccountId(link.undo_identity_of)
    async with services.db.tx() as tx:
        await audit.set_actor(tx, Actor("user", account, caller.ip))
        undone = await tx.fetch_optional(queries.UNDO_IDENTITY, account=account, id=link.undo_identity, days=UNDO_DAYS)
        if undone is None:
            raise UndoExpired
        await usage.record(tx, account, "identity_unlinked", {"by": "undo"})
        await sessions.revoke_all(tx, account, why="linking of an identity undone")


async def change_password(
    services: Services,
    account: AccountId,
    session: UUID,
    *,
    password: str | None,
    code: str | None,
    new_password: str,
    caller: Caller,
) -> None:
    """Change the password with the old one and, if there is one, the second factor; every other session ends.

    Raises WrongPassword (403), NoPassword (409), WrongCode, WeakPassword (422), Busy, RateLimited, TooManyGuesses (429).
    """
    if not await second_factor.check_owner(services, account, password=password, code=code, password_required=True):
        raise NoPassword
    password_hash = await services.get(Hasher).hash(new_password)
    async with services.db.tx() as tx:
        await audit.set_actor(tx, caller.actor)
        await tx.execute(queries.SET_PASSWORD, account=account, password_hash=password_hash)
        await sessions.revoke_others(tx, account, session)
        await notifications.notify_account(tx, services, account, notice="password_changed", language=caller.language)
