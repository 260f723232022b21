"""The operators' page of jobs: failed ones with their reason, retried one and many."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from tests.accounts.roles.test_roles import appoint
from tests.factories import Make
from tests.server import Site
from tests.wallet.helpers import rows
from vetrina.accounts.roles.actions import Role
from vetrina.core.database.connection import Database
from vetrina.core.jobs.queue import enqueue, record_failure
from vetrina.core.services import Services


async def failed_job(site: Site, db: Database, error: Exception) -> int:
    """Enqueue a job, fail it for good, and return its id."""
    async with db.tx() as tx:
        row: Any = await (await tx.connection.execute("select core.enqueue('payments.nothing', '{}', 'payments')")).fetchone()
        await tx.connection.execute("update procrastinate_jobs set status = 'doing' where id = %s", row)
        await tx.connection.execute("update procrastinate_jobs set status = 'failed' where id = %s", row)
    await record_failure(site.services, row[0], error)
    return row[0]


async def test_failed_jobs_are_listed_with_their_reason_and_retried(site: Site, make: Make, db: Database) -> None:
    operator, account = await appoint(make, Role.ADMIN), await make.account()
    jobs = [await failed_job(site, db, ValueError(f"<b>{n}</b> is wrong")) for n in range(3)]
    async with site.browser(account) as browser:
        assert (await browser.get("/operator/jobs")).status_code == 403
        assert (await browser.post("/operator/jobs/retries", data={"all": "failed"})).status_code == 403
    states = "select id, status::text from procrastinate_jobs where task_name = 'payments.nothing' order by id"
    async with site.browser(operator) as browser:
        page = (await browser.get("/operator/jobs")).text
        assert "ValueError: &lt;b&gt;2&lt;/b&gt; is wrong" in page
        assert [int(job) for job in re.findall(r'name="job" value="(\d+)"', page)] == jobs[::-1]
        assert (await browser.post("/operator/jobs/retries", data={})).status_code == 422
        assert (await browser.post("/operator/jobs/retries", data={"job": str(jobs[1])})).status_code == 303
        assert await rows(db, states) == [(jobs[0], "failed"), (jobs[1], "todo"), (jobs[2], "failed")]
        await browser.post("/operator/jobs/retries", data={"all": "failed"})
        page = (await browser.get("/operator/jobs")).text
        assert "2 jobs are tried again." in page and "is wrong" not in page
    assert {state for _, state in await rows(db, states)} == {"todo"}


async def test_a_worker_stores_why_an_attempt_failed(worker: Services, db: Database) -> None:
    async with db.tx() as tx:
        await enqueue(tx, "wallet.notify_adjustment", queue="core", account="nonsense", adjustment="nonsense")
    for _ in range(200):
        errors = await rows(db, "select error from core.job_failures")
        if errors:
            break
        await asyncio.sleep(0.02)
    assert errors == [("ValueError: badly formed hexadecimal UUID string",)]
