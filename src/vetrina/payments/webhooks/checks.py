"""The check of Stripe's webhooks."""

from __future__ import annotations

from vetrina.core.checks import Check, Site, SiteCheck
from vetrina.payments.webhooks import queries

LATE_SECONDS = 300
"""Seconds after which a received event should have been applied."""


async def webhooks(site: Site) -> list[Check]:
    """Check that Stripe's events arrive and are applied."""
    if not site.settings.stripe_api_key:
        return [Check("webhooks", "ok", "Stripe is not set up (STRIPE_API_KEY)")]
    if not site.settings.stripe_webhook_secret:
        action = "Add an endpoint at Stripe, and set STRIPE_WEBHOOK_SECRET to its signing secret."
        return [Check("webhooks", "failure", "Stripe's events are refused: there is no signing secret", action)]
    if site.tx is None:
        return []
    lag = await site.tx.fetch_one(queries.LAG)
    last = f"the last event is of {lag.last_at:%Y-%m-%d %H:%M} UTC" if lag.last_at else "no event has arrived yet"
    detail = f"{last}; {lag.waiting} are tried again, the longest for {lag.longest_wait} s; {lag.dead} failed permanently"
    if lag.dead or lag.longest_wait > LATE_SECONDS:
        return [Check("webhooks", "warning", detail, "The operators' webhook log says why, and retries them.")]
    return [Check("webhooks", "ok", detail)]


CHECKS: list[SiteCheck] = [webhooks]
