"""The operators' page of background jobs: the queue by lane and state, failed jobs with their reason, periodic jobs."""

from __future__ import annotations

import re
from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect

from vetrina.accounts.operator import queries
from vetrina.accounts.roles.guards import operator
from vetrina.core.errors import Invalid
from vetrina.core.web import pages
from vetrina.core.web.request import Request
from vetrina.web import i18n
from vetrina.web.i18n import say

SHOWN = 100
MOST = 500
"""Jobs retried at a time."""


@get("/operator/jobs", guards=[operator], include_in_schema=False)
async def show(request: Request) -> Response[str]:
    """Show what waits and runs, what failed, and when each periodic job last ran."""
    async with request.read() as tx:
        lanes = await tx.fetch_all(queries.JOB_LANES)
        failed = await tx.fetch_all(queries.FAILED_JOBS, limit=SHOWN)
        periodic = await tx.fetch_all(queries.PERIODIC_JOBS)
    return pages.render(
        request, "accounts/operator/jobs.html", nav="operator", lanes=lanes, failed=failed, periodic=periodic, shown=SHOWN
    )


@post("/operator/jobs/retries", guards=[operator], include_in_schema=False)
async def retry(request: Request) -> Redirect:
    """Retry the chosen failed jobs, or up to 500 of all; every job is fenced or idempotent. Raises Invalid (422)."""
    form = await request.form()
    chosen = [int(item) for item in map(str, form.getall("job", [])) if re.fullmatch(r"[0-9]{1,17}", item, re.ASCII)]
    everything = form.get("all") == "failed"
    if not chosen and not everything:
        raise Invalid(say("Choose which jobs to retry."))
    async with request.tx() as tx:
        count = await tx.fetch_one(queries.RETRY_JOBS, ids=chosen[:MOST], everything=everything, limit=MOST)
    message = i18n.count("{n} job is tried again.", "{n} jobs are tried again.", count)
    return pages.redirect("/operator/jobs", flash=("good", message))


ROUTES: list[Any] = [show, retry]
