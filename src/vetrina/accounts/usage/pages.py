"""The page of an account's usage."""

from __future__ import annotations

from typing import Any

from litestar import Response, get

from vetrina.accounts.usage import chart
from vetrina.core import usage
from vetrina.core.web import pages
from vetrina.core.web.request import Request, signed_in


@get("/account/usage", guards=[signed_in], include_in_schema=False)
async def show_usage(request: Request, action: str = "", days: str = "30") -> Response[str]:
    """Show the account's actions day by day, as a chart and as a table."""
    day_count = int(days) if days in {choice["value"] for choice in chart.RANGES} else 30
    since = chart.first_day(day_count)
    async with request.read() as tx:
        counts = await tx.fetch_all(usage.BY_DAY, account=request.account.id, since=since, action=None)
    titles = request.services.modules.usage_titles
    context = chart.context(counts, titles=titles, action=action, since=since, days=day_count)
    return pages.render(request, "accounts/usage/usage.html", nav="account", **context)


ROUTES: list[Any] = [show_usage]
