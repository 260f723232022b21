"""`vetrina credits`: give credits to an account, take them, and list what was given and taken."""

from __future__ import annotations

from cyclopts import App

from vetrina.accounts.model import Kind
from vetrina.accounts.operator.commands import with_account
from vetrina.core.command_line import exit_codes as exits
from vetrina.core.command_line import output
from vetrina.wallet import labels
from vetrina.wallet.adjustments import actions
from vetrina.wallet.adjustments.model import MOST, Adjustment, AdjustmentQuantity, NewAdjustment
from vetrina.wallet.model import Asset

app = App(name="credits", help="Give credits to an account, or take them, with a reason.")


@app.command
def give(email: str, quantity: int, reason: str, *, asset: Asset = Asset.TOKEN, kind: Kind = "user") -> int:
    """Give credits. Their owner is notified, and the audit log keeps the reason.

    Args:
        email: The account's e-mail address.
        quantity: Number of credits, 1 or more.
        reason: The reason, which the owner reads.
        asset: token, conversion, image_slot, contact or posting.
        kind: Which account of that address.
    """
    row = _adjust(email, kind, quantity, 1, reason, asset)
    print(f"{email} has {labels.amount(row.asset, row.quantity)} more.")
    return exits.OK


@app.command
def take(email: str, quantity: int, reason: str, *, asset: Asset = Asset.TOKEN, kind: Kind = "user") -> int:
    """Take credits, soonest-expiring first; refused if the account has fewer. Their owner is notified.

    Args:
        email: The account's e-mail address.
        quantity: Number of credits, 1 or more.
        reason: The reason, which the owner reads.
        asset: token, conversion, image_slot, contact or posting.
        kind: Which account of that address.
    """
    row = _adjust(email, kind, quantity, -1, reason, asset)
    print(f"{email} has {labels.amount(row.asset, row.quantity)} fewer.")
    return exits.OK


@app.command(name="list")
def show(email: str, *, kind: Kind = "user", limit: int = 50, json: bool = False) -> int:
    """List credits that operators gave and took, the newest first.

    Args:
        email: The account's e-mail address.
        kind: Which account of that address.
        limit: Largest number of rows.
        json: Print the result as JSON.
    """
    rows = with_account(email, kind, lambda tx, account: actions.history(tx, account, None, max(1, min(limit, 1000)))).items
    if json:
        output.as_json(rows)
    elif not rows:
        print(f"Nothing was given to {email} or taken.")
    for row in [] if json else rows:
        direction = "given" if row.quantity > 0 else "taken"
        print(f"{row.created_at:%Y-%m-%d %H:%M} {direction} {labels.amount(row.asset, row.quantity)}: {row.reason or ''}")
    return exits.OK


def _adjust(email: str, kind: Kind, quantity: int, sign: int, reason: str, asset: Asset) -> Adjustment:
    if not 1 <= quantity <= MOST:
        raise AdjustmentQuantity
    new = NewAdjustment(quantity=sign * quantity, reason=reason, asset=asset)
    return with_account(email, kind, lambda tx, account: actions.adjust(tx, None, account, new))
