"""The form on the operators' page of an account that gives or takes credits, and its section there."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from litestar import Response, get, post

from vetrina.accounts.operator import actions as accounts
from vetrina.accounts.operator import pages as account_pages
from vetrina.accounts.roles.guards import operator
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, new_id, read_id
from vetrina.core.errors import Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.paging import Cursor
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import CONFIRMED
from vetrina.wallet import labels
from vetrina.wallet.adjustments import actions, queries
from vetrina.wallet.adjustments.model import MOST, AdjustmentQuantity, NewAdjustment
from vetrina.wallet.ledger import actions as ledger
from vetrina.wallet.ledger import pages as ledger_pages
from vetrina.wallet.model import Asset
from vetrina.wallet.plans import queries as plan_queries
from vetrina.web.i18n import N_, say

SHOWN = 10
DIRECTIONS = [{"value": "give", "title": N_("Give")}, {"value": "take", "title": N_("Take")}]


@post("/operator/accounts/{account_id:uuid}/credits", guards=[operator], include_in_schema=False, opt=CONFIRMED)
async def adjust(request: Request, account_id: UUID, data: Form) -> Response[Any]:
    """Give or take credits; the page's own id makes a double click one adjustment."""
    try:
        new = _read(data)
        async with request.tx() as tx:
            row = await actions.adjust(tx, request.account, account_id, new)
    except Refusal as refusal:
        return await account_pages.render_account(request, account_id, values=data, refusal=refusal)
    what = labels.amount(row.asset, row.quantity)
    text = say("Given: {amount}.", amount=what) if row.quantity > 0 else say("Taken: {amount}.", amount=what)
    return pages.redirect(f"/operator/accounts/{account_id}", flash=("good", text))


@get("/operator/accounts/{account_id:uuid}/ledger", guards=[operator], include_in_schema=False)
async def ledger_page(request: Request, account_id: UUID, cursor: Cursor = None) -> Response[str]:
    """Show an account's ledger, the newest entries first."""
    subjects = request.services.modules.ledger_subjects
    async with request.read() as tx:
        person = await accounts.get_account(tx, account_id)
        page = await ledger.entries(tx, AccountId(account_id), subjects, cursor, ledger_pages.PAGE, asset=None, kind=None)
    return pages.render(
        request,
        "wallet/adjustments/ledger.html",
        nav="operator",
        person=person,
        entries=ledger_pages.lines(page.items, subjects),
        older=page.older(f"/operator/accounts/{account_id}/ledger", {}),
    )


async def section(tx: Tx, account_id: UUID) -> dict[str, Any]:
    """Return what the account's page shows: balances, the latest adjustments, and choices of the form."""
    positions = await tx.fetch_all(queries.POSITIONS, account=account_id)
    history = await actions.history(tx, account_id, None, SHOWN)
    return {
        "plan": await tx.fetch_optional(plan_queries.MEMBERSHIP, account=account_id),
        "balances": [
            {"row": row, "title": say(labels.ASSETS[row.asset][0]), "what": labels.amount(row.asset, row.balance)}
            for row in positions
            if row.balance or row.held or row.asset == Asset.TOKEN
        ],
        "adjustments": [{"row": row, "what": labels.amount(row.asset, row.quantity)} for row in history.items],
        "assets": [{"value": str(name), "title": say(title)} for name, (title, _) in labels.ASSETS.items()],
        "directions": [{**choice, "title": say(choice["title"])} for choice in DIRECTIONS],
        "id": str(new_id()),
    }


def _read(data: dict[str, str]) -> NewAdjustment:
    """Return the form's adjustment. Raises AdjustmentQuantity (422)."""
    text = data.get("quantity", "").strip()
    if not re.fullmatch(r"[0-9]{1,7}", text, re.ASCII) or not 1 <= int(text) <= MOST:
        raise AdjustmentQuantity
    asset = data.get("asset", "")
    return NewAdjustment(
        quantity=-int(text) if data.get("direction") == "take" else int(text),
        reason=data.get("reason", ""),
        asset=Asset(asset) if asset in set(Asset) else Asset.TOKEN,
        id=read_id(data.get("id")),
    )


ROUTES: list[Any] = [adjust, ledger_page]
