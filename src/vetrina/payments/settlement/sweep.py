"""The sweep: polls gateways about payments that are pending, or that ended unpaid but may have been paid since."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta

import msgspec
import structlog

from vetrina.core.database.ids import AccountId
from vetrina.core.errors import NotFound
from vetrina.core.services import Services
from vetrina.payments import queries
from vetrina.payments.gateways.registry import Gateways
from vetrina.payments.gateways.zarinpal import ZarinPalGateway
from vetrina.payments.model import GatewayFailed, GatewayStatus, UncertainPayment
from vetrina.payments.settlement import actions

log = structlog.get_logger("vetrina.payments")

YOUNG = timedelta(minutes=1)
"""Minimum age of a payment before it is polled: its buyer is still paying."""
PAUSE = timedelta(minutes=2)
"""Minimum time between two polls of a pending payment; thirty times that for one that has ended."""
BATCH = 200
AT_ONCE = 8


class Swept(msgspec.Struct):
    """The result of a sweep; `away` counts payments whose gateway did not answer."""

    asked: int = 0
    paid: int = 0
    ended: int = 0
    waiting: int = 0
    away: int = 0


async def sweep(services: Services, *, young: timedelta = YOUNG, pause: timedelta = PAUSE) -> Swept:
    """Poll every doubtful payment that was not polled within `pause`, and settle the paid ones.

    Safe to run concurrently: the process that marks a payment first polls it.
    """
    result = Swept()
    await asyncio.gather(*(_ask(services, item, result) for item in await _unverified(services)))
    while True:
        async with services.db.tx() as tx:
            doubts = await tx.fetch_all(queries.CLAIM_DOUBTS, young=young, pause=pause, long=pause * 30, limit=BATCH)
        for start in range(0, len(doubts), AT_ONCE):
            await asyncio.gather(*(_ask(services, item, result) for item in doubts[start : start + AT_ONCE]))
        if len(doubts) < BATCH:
            return result


async def _unverified(services: Services) -> Iterable[UncertainPayment]:
    """Yield our payments that ZarinPal charged and no one verified: it reverses them after half an hour."""
    gateway = services.get(Gateways).get(ZarinPalGateway.name)
    if not isinstance(gateway, ZarinPalGateway) or not gateway.available(services.settings):
        return []
    try:
        refs = await gateway.unverified()
    except GatewayFailed as failed:
        log.warning("a gateway does not answer", gateway=gateway.name, why=failed.message)
        return []
    async with services.db.read() as tx:
        return await tx.fetch_all(queries.DOUBTS_BY_REF, gateway=gateway.name, refs=refs)


async def _ask(services: Services, doubt: UncertainPayment, result: Swept) -> None:
    result.asked += 1
    try:
        async with services.db.read() as tx:
            payment = await tx.fetch_one(queries.ONE, account=AccountId(doubt.account_id), id=doubt.id)
        word = await actions.ask(services, payment, doubt.ref)
    except (GatewayFailed, NotFound) as failed:
        log.warning("a gateway does not answer", payment=str(doubt.id), why=failed.message)
        result.away += 1
        return
    match word.said:
        case GatewayStatus.PAID:
            result.paid += 1
        case GatewayStatus.WAITING:
            result.waiting += 1
        case GatewayStatus.DECLINED | GatewayStatus.CANCELLED | GatewayStatus.EXPIRED:
            result.ended += 1
