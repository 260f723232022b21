"""The state of an installation as a list of checks: `vetrina doctor` prints them, the operators' front page shows them.

A module names its file of checks in its `MODULE`; the file's list `CHECKS` has functions of a `Site`.
"""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from vetrina.core.database.connection import Statement, Tx
from vetrina.core.files import write_whole
from vetrina.core.messages import delivers
from vetrina.core.module import Modules
from vetrina.core.settings.environment import Settings
from vetrina.core.storage import reserve

State = Literal["ok", "warning", "failure"]
LAST_DUMP = "last-dump.json"
"""The file in the data folder that says when `vetrina db dump` last wrote a copy."""
NO_ROOM = 32 * 1024 * 1024
"""Free bytes below which the site is not ready: PostgreSQL needs them to keep running."""
LITTLE_ROOM = 1024 * 1024 * 1024
"""Free bytes below which operators are warned."""
DUMP_DAYS = 2
"""Days after which the last dump is old."""
QUEUE_SECONDS = 60
"""Seconds that a letter or a payment may wait for a worker."""
HEARTBEAT_SECONDS = 60


class Check(msgspec.Struct, frozen=True):
    """One check: its result in words, and what to do about it."""

    name: str
    state: State
    detail: str
    action: str = ""


class QueueState(msgspec.Struct, frozen=True):
    """The job queue: jobs that are due and their longest wait in seconds, without slow queues; failures of a day; workers."""

    waiting: int
    longest_wait: int
    failed: int
    workers: int


@dataclass(frozen=True)
class Site:
    """What checks look at. Without `tx` the database does not answer, and checks of it are left out."""

    settings: Settings
    modules: Modules
    tx: Tx | None


SiteCheck = Callable[[Site], Awaitable[list[Check]]]

QUEUE = Statement(
    QueueState,
    """
    with due as (
      select j.id, coalesce(j.scheduled_at, (select min(e.at) from procrastinate_events e where e.job_id = j.id)) as since
        from procrastinate_jobs j
       where j.status = 'todo' and (j.scheduled_at is null or j.scheduled_at <= now()) and j.queue_name <> all(%(slow)s)
       order by j.id limit 1000
    )
    select count(*)::integer as waiting,
           coalesce(extract(epoch from now() - min(since)), 0)::integer as longest_wait,
           (select count(*) from procrastinate_events e
             where e.type = 'failed' and e.at > now() - interval '1 day')::integer as failed,
           (select count(*) from procrastinate_workers
             where last_heartbeat > now() - make_interval(secs => %(heartbeat)s))::integer as workers
      from due
    """,
)


async def run(site: Site) -> list[Check]:
    """Return the checks of all loaded modules, the core's first."""
    checks: list[Check] = []
    for module in site.modules:
        if module.checks:
            functions: list[SiteCheck] = importlib.import_module(module.checks).CHECKS
            for function in functions:
                checks += await function(site)
    return checks


async def _messages(site: Site) -> list[Check]:
    if site.settings.development:
        where = "not sent: a development site keeps it in its outbox (/outbox)"
        return [Check("mail", "ok", where), Check("SMS", "ok", where)]
    if not delivers(site.settings, "email"):
        action = "Set VETRINA_SMTP_URL and VETRINA_MAIL_FROM. Until then, confirm addresses by `vetrina account confirm-email`."
        mail = Check("mail", "warning", "not set up: no code and no notice reaches anyone", action)
    elif site.settings.mail_from.rstrip(">").endswith("@localhost"):
        mail = Check("mail", "warning", f"sent as {site.settings.mail_from}, which servers refuse", "Set VETRINA_MAIL_FROM.")
    else:
        mail = Check("mail", "ok", f"sent as {site.settings.mail_from}")
    if delivers(site.settings, "phone"):
        return [mail, Check("SMS", "ok", "sent through Twilio")]
    action = "Set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and VETRINA_SMS_FROM to offer accounts by phone."
    return [mail, Check("SMS", "warning", "not set up: phone numbers cannot be confirmed", action)]


async def _address(site: Site) -> list[Check]:
    action = "Set VETRINA_PUBLIC_URL to the site's https:// address, with a TLS proxy before it."
    if site.settings.secure:
        return [Check("public address", "ok", site.settings.address)]
    if site.settings.public_url:
        return [Check("public address", "warning", f"{site.settings.address} is not encrypted", action)]
    if site.settings.development:
        return [Check("public address", "ok", f"{site.settings.address}, on this machine")]
    return [Check("public address", "warning", f"not set: links in letters lead to {site.settings.address}", action)]


async def _sandbox(site: Site) -> list[Check]:
    if not site.settings.sandbox:
        return [Check("sandbox", "ok", "off")]
    if site.settings.development and not site.settings.secure:
        return [Check("sandbox", "ok", "on: credits cost nothing on this development site")]
    return [Check("sandbox", "warning", "on: anyone gets credits for nothing", "Set VETRINA_SANDBOX=off on a site that sells.")]


async def _disk(site: Site) -> list[Check]:
    try:
        usage = shutil.disk_usage(site.settings.data)
    except OSError:
        return [Check("disk", "ok", f"{site.settings.data} will be made")]
    detail = f"{usage.free / 1e9:.1f} GB free of {usage.total / 1e9:.1f} GB at {site.settings.data}"
    action = "Free space, or move the data folder to a larger disk."
    if usage.free < NO_ROOM:
        return [Check("disk", "failure", f"{detail}: the site is not ready", action)]
    reserved = 0
    if (space := reserve.disk(site.settings)) is not None:
        reserved = space.reserve
        detail += f", {reserved / 1e9:.1f} GB kept free (VETRINA_DISK_RESERVE)"
        if space.refuses:
            return [Check("disk", "failure", f"{detail}: uploads and exports are refused", action)]
    little = usage.free < max(LITTLE_ROOM, 2 * reserved)
    return [Check("disk", "warning" if little else "ok", detail, action if little else "")]


async def _dump(site: Site) -> list[Check]:
    action = "Run `vetrina db dump FILE` every day, and copy the files and secret-key.json of the data folder with it."
    written = last_dump(site.settings.data)
    if written is None:
        state: State = "ok" if site.settings.development else "warning"
        return [Check("backup", state, "no dump was written yet", action)]
    days = (datetime.now(UTC) - written).days
    detail = f"the last dump is of {written:%Y-%m-%d %H:%M} UTC"
    return [Check("backup", "warning" if days >= DUMP_DAYS else "ok", detail, action if days >= DUMP_DAYS else "")]


async def _queue(site: Site) -> list[Check]:
    if site.tx is None:
        return []
    slow = [name for module in site.modules for name, _ in module.slow_queues]
    state = await site.tx.fetch_one(QUEUE, slow=slow, heartbeat=HEARTBEAT_SECONDS)
    if not state.workers:
        return [Check("queue", "failure", "no worker is running", "Start `vetrina worker`, or `vetrina up`, which runs it.")]
    detail = f"{state.waiting} jobs wait, the longest for {state.longest_wait} s; {state.failed} failed in a day"
    if state.longest_wait > QUEUE_SECONDS:
        return [Check("queue", "warning", detail, "Run more workers (VETRINA_WORKER_PROCESSES), and look at the worker's log.")]
    return [Check("queue", "warning" if state.failed else "ok", detail, "The worker's log names them." if state.failed else "")]


def record_dump(data: Path, now: datetime) -> None:
    """Record that a dump was written. Raises OSError."""
    write_whole(data / LAST_DUMP, msgspec.json.encode({"at": now}))


def last_dump(data: Path) -> datetime | None:
    """Return when the last dump was written, or None."""
    try:
        return msgspec.json.decode((data / LAST_DUMP).read_bytes(), type=dict[str, datetime]).get("at")
    except (OSError, msgspec.DecodeError):
        return None


CHECKS: list[SiteCheck] = [_messages, _address, _sandbox, _disk, _dump, _queue]
