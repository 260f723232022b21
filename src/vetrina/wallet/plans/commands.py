"""`vetrina quota`: show an account's plan, usage and reset date."""

from __future__ import annotations

import asyncio
from datetime import datetime

import msgspec
from cyclopts import App

from vetrina.core.command_line import logs, output
from vetrina.core.command_line.database_access import doing
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.errors import NotFound
from vetrina.core.settings import environment as settings
from vetrina.wallet import labels
from vetrina.wallet.model import Grant
from vetrina.wallet.plans import actions as plans
from vetrina.wallet.plans import queries as queries_plans
from vetrina.wallet.plans.model import Membership, Quota
from vetrina.web import formatting as words

app = App(name="quota", help="Show an account's plan, usage and reset date.")


class Explained(msgspec.Struct, frozen=True):
    """One account's plan, quotas and remaining grants."""

    email: str
    kind: str
    membership: Membership
    quotas: list[Quota]
    grants: list[Grant]


@app.command
def explain(email: str, *, json: bool = False) -> int:
    """Show each allowance: used, remaining, reset date, and the answer to the next use.

    Args:
        email: The account's e-mail address; a user and a vendor that share it are both shown.
        json: Print the result as JSON.
    """
    config = settings.read()
    logs.configure(config.log_format, "quota")
    explained = asyncio.run(doing(config, lambda tx: _explain(tx, email)))
    if json:
        output.as_json(explained)
    else:
        print("\n\n".join(_lines(item) for item in explained))
    return 0


async def _explain(tx: Tx, email: str) -> list[Explained]:
    accounts = await tx.fetch_all(queries_plans.KNOWN, email=email)
    if not accounts:
        raise NotFound(f"There is no account with the address {email}.")
    return [
        Explained(
            email,
            account.kind,
            await plans.membership(tx, AccountId(account.id)),
            await plans.quotas(tx, AccountId(account.id)),
            await tx.fetch_all(queries_plans.GRANTS, account=account.id),
        )
        for account in accounts
    ]


def _lines(explained: Explained) -> str:
    member = explained.membership
    lines = [f"{explained.email} ({explained.kind}): {member.plan_title} plan, {_span(member.period_start, member.period_end)}"]
    if member.grace_until:
        lines.append(f"  the month after it is not paid; what was left can be used until {words.moment(member.grace_until)}")
    if member.next_plan:
        lines.append(f"  {member.next_plan} follows then")
    if member.paid_until:
        lines.append(f"  paid until {words.moment(member.paid_until)}")
    for bucket in explained.quotas:
        held = f", {bucket.held} set aside" if bucket.held else ""
        lines.append(f"  {labels.ASSETS[bucket.asset][0]}: {bucket.used} of {bucket.limit} used, {bucket.remaining} left{held}")
        answer = "goes through" if bucket.remaining else f"is refused: {plans.used_up(bucket, 1).message}"
        lines.append(f"    the next one {answer}")
        for grant in (item for item in explained.grants if item.asset == bucket.asset):
            until = f"until {words.moment(grant.expires_at)}" if grant.expires_at else "for good"
            lines.append(f"    {grant.remaining} of {grant.quantity} from {grant.note or grant.source}, {until}")
    return "\n".join(lines)


def _span(first: datetime, last: datetime) -> str:
    return f"{words.day(first)} to {words.moment(last)}"
