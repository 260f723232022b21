"""`vetrina demo cogento`: reports of a membership whose Stripe events arrive out of order.

The reports of a year of events are compared with the expected figures.
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx2
import psycopg
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from vetrina.core.command_line.database_access import reaching
from vetrina.core.settings.environment import Settings
from vetrina.demo import cogento_events as cogento_world
from vetrina.demo import operator
from vetrina.demo.cogento_events import World
from vetrina.demo.runner import CheckFailed, DemoRun
from vetrina.stripe_mirror.consistency.sample_data import DAY
from vetrina.stripe_mirror.events import sign
from vetrina.web import formatting as words

CLIENTS = 16
AGAIN = 10
"""One event in this many is delivered twice, as Stripe sometimes does."""
Money = dict[str, int]


def run(demo: DemoRun, settings: Settings, *, members: int = cogento_world.MEMBERS) -> None:
    """Run the demo with this many members. Raises CheckFailed at the first failed check."""
    secret = settings.stripe_webhook_secret.split(",")[0].strip()
    if not secret:
        raise CheckFailed("the site and this command need the same STRIPE_WEBHOOK_SECRET; any value will do, such as whsec_demo")
    with demo.step("The site is up, and an operator signs in"):
        demo.check("/readyz answers 200", demo.client.get("/readyz").status_code == 200)
        login = operator.create_operator(demo, settings)
        opened = demo.call("POST", "/auth/session", json={"email": login.email, "password": login.password}, expect=201)
        stranger = demo.client.get("/api/v1/reports/mrr").status_code
        demo.check("other accounts cannot see reports", stranger == 401, stranger)
        demo.sign_in(opened["access_token"])
    days = _days()
    before = {day: _monthly(demo, day) for day in days}
    moved = _moved(demo, days[1])
    with demo.step("A year of Stripe events for a membership is generated"):
        world = cogento_world.make(f"demo{secrets.token_hex(3)}", int(time.time()) - 30, members=members)
        bodies = [json.dumps(event).encode() for event in world.events]
        size = sum(map(len, bodies))
        demo.say(f"{len(bodies):,} events, {words.filesize(size)}, over {cogento_world.DAYS} days")
        shapes = Counter(str(event["api_version"]) for event in world.events)
        demo.check("in both shapes of the API", len(shapes) == 2 and min(shapes.values()) > members, shapes)
        demo.check("some within one second of each other", world.ties >= members // 40, world.ties)
    _refusals(demo, bodies[0], secret)
    _deliver(demo, bodies, secret)
    _members(demo, world)
    _reports(demo, world, days, before, moved)
    _under_documented_names(demo, world, settings)
    _ending(demo)


def _refusals(demo: DemoRun, body: bytes, secret: str) -> None:
    with demo.step("Events not sent by Stripe are refused"):
        now = int(time.time())
        for what, headers in (
            ("a wrong secret", _headers(body, "whsec_of_somebody_else", now)),
            ("a signature six minutes old", _headers(body, secret, now - 360)),
            ("no signature", {"content-type": "application/json"}),
        ):
            status = demo.client.post("/webhooks/stripe", content=body, headers=headers).status_code
            demo.check(f"{what}: 400", status == 400, status)


def _deliver(demo: DemoRun, bodies: Sequence[bytes], secret: str) -> None:
    with demo.step("All events arrive shuffled, some of them twice"):
        order = [*bodies, *random.sample(bodies, len(bodies) // AGAIN)]
        random.shuffle(order)
        started = time.perf_counter()
        answers = asyncio.run(_post(demo, order, secret))
        seconds = time.perf_counter() - started
        statuses = Counter(status for status, _ in answers)
        demo.check("every delivery is answered 200", set(statuses) == {200}, dict(statuses))
        new = sum(1 for _, body in answers if body.get("new"))
        demo.check(f"each of the {len(bodies):,} was stored once", new == len(bodies), new)
        demo.say(f"{len(order) / seconds:,.0f} a second over {CLIENTS} connections, each stored before its response")
    with demo.step("Some events arrive again"):
        answers = asyncio.run(_post(demo, random.sample(bodies, len(bodies) // 20), secret))
        demo.check("none of them is new", not any(body.get("new") for _, body in answers))


async def _post(demo: DemoRun, bodies: Sequence[bytes], secret: str) -> list[tuple[int, dict[str, Any]]]:
    """Deliver the events over several connections; return status and body of each response."""
    left = iter(bodies)
    answers: list[tuple[int, dict[str, Any]]] = []
    columns = [TextColumn("       "), BarColumn(bar_width=32), TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
               TimeRemainingColumn()]  # fmt: skip
    with Progress(*columns, console=demo.console, transient=True) as bar:
        task = bar.add_task("", total=len(bodies))

        async def client() -> None:
            async with httpx2.AsyncClient(base_url=demo.address, timeout=60) as http:
                for body in left:
                    answer = await http.post("/webhooks/stripe", content=body, headers=_headers(body, secret, int(time.time())))
                    answers.append((answer.status_code, answer.json()))
                    bar.advance(task)

        await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return answers


def _members(demo: DemoRun, world: World) -> None:
    with demo.step("Members are searched by metadata"):
        ours = {"metadata.demo": world.tag}
        there = _count(demo, "customers", ours)
        demo.check(f"{len(world.metadata)} members: deleted ones stay deleted, whatever arrives late",
                    there == len(world.metadata), there)  # fmt: skip
        for kind in ("Adult", "Student"):
            expected = sum(1 for item in world.metadata.values() if item["membership_type"] == kind)
            actual = _count(demo, "customers", {**ours, "metadata.membership_type": kind})
            demo.check(f"membership_type={kind}: {expected} customers", actual == expected, actual)
        left = sum(1 for item in world.metadata.values() if "joined" not in item)
        pages = _all(demo, "customers", ours)
        demo.check(f"what Stripe removed from metadata is gone here: {left} without `joined`",
                    sum(1 for page in pages if "joined" not in page["metadata"]) == left)  # fmt: skip
        expected = world.kinds["Premium"]
        actual = _count(demo, "subscriptions", {**ours, "metadata.subscription_type": "Premium"})
        demo.check(f"subscription_type=Premium: {expected} subscriptions, by their own metadata", actual == expected, actual)


def _reports(demo: DemoRun, world: World, days: list[date], before: dict[date, Money], moved: dict[str, Money]) -> None:
    with demo.step("The reports match the expected figures on any day"):
        for day in days:
            expected = {name: amount for name, amount in world.monthly(_end(day, world.now)).items() if amount}
            actual = _less(_monthly(demo, day), before[day])
            summary = ", ".join(words.money(amount, name.upper()) for name, amount in sorted(expected.items()))
            demo.check(f"recurring revenue on {day:%d %b %Y}: {summary}", actual == expected, actual)
        month = days[1]
        expected_moves = _moves(world, month)
        actual_moves = {name: _less(row, moved.get(name, {})) for name, row in _moved(demo, month).items()}
        actual_moves = {name: row for name, row in actual_moves.items() if row}
        summary = ", ".join(f"{name} {words.money(n, 'EUR')}" for name, n in expected_moves.get("eur", {}).items())
        demo.check(f"MRR movements in {month:%B}: {summary}", actual_moves == expected_moves, actual_moves)
    with demo.step("Revenue, failed payments and recoveries"):
        paid = Counter[tuple[str, str]]()
        for row in _rows(demo, "revenue", days[0], 24):
            paid[row["month"][:7], row["currency"]] += row["invoiced"]
        short = [key for key, amount in world.invoiced.items() if paid[key] < amount]
        demo.check("every month's invoices are in the revenue, by currency", short == [], short)
        failures = _rows(demo, "failures", days[0], 24)
        actual = {name: sum(row[column] for row in failures)
                 for name, column in (("failed", "invoices"), ("recovered", "recovered"), ("lost", "lost"))}  # fmt: skip
        summary = f"{world.failed['failed']} payments failed, {world.failed['recovered']} were made good"
        demo.check(summary, all(actual[name] >= count for name, count in world.failed.items()), actual)
        ahead = sum(row["renewing"] for row in _rows(demo, "renewals", days[0], 1))
        demo.check("there are upcoming renewals", ahead > 0, ahead)


def _under_documented_names(demo: DemoRun, world: World, settings: Settings) -> None:
    with demo.step("Other tools read the documented tables"):
        rows = asyncio.run(_as_reporting(settings, world.tag))
        demo.check("doc_cogento.users joins doc_cogento.subscriptions", rows[0] == len(world.metadata), rows[0])
        demo.check("addresses are masked there", rows[1] == 0, rows[1])


async def _as_reporting(settings: Settings, tag: str) -> tuple[int, int]:
    def ask(uri: str) -> tuple[int, int]:
        with psycopg.connect(uri) as connection:
            row = connection.execute(
                """select count(distinct u.user_id), count(*) filter (where u.email not like '_***-%%@%%')
                     from doc_cogento.users u left join doc_cogento.subscriptions s on u.user_id = s.user_id
                    where u.metadata @> jsonb_build_object('demo', %s::text)""",
                (tag,),
            ).fetchone()
        return row or (0, 0)

    async with reaching(settings) as access:
        return await asyncio.to_thread(ask, access.reporting)


def _ending(demo: DemoRun) -> None:
    with demo.step("Summary"):
        rows = [row for row in _rows(demo, "mrr", datetime.now(UTC).date(), 13) if row["currency"] == "eur"]
        top = max(row["closing"] for row in rows) or 1
        table = Table(box=None, pad_edge=False)
        for title in ("Month", "€ at the end", "", "New", "More", "Less", "Lost", "Back", "Members"):
            table.add_column(title, justify="right" if title not in {"", "Month"} else "left", no_wrap=True)
        for row in rows:
            names = ("closing", "new", "expansion", "contraction", "churn", "reactivation")
            closing, *moved = (f"{row[name] / 100:,.0f}" for name in names)
            bar = "█" * max(round(16 * row["closing"] / top), 0)
            month = f"{date.fromisoformat(row['month']):%b %y}"
            table.add_row(month, closing, f"[green]{bar}[/green]", *moved, str(row["customers"]))
        demo.console.print(table)
        demo.say(f"More: {demo.address}/reports and {demo.address}/members")


def _days() -> list[date]:
    """Return today, the end of last month, the middle of the month before, and half a year ago."""
    today = datetime.now(UTC).date()
    last = today.replace(day=1) - timedelta(days=1)
    return [today, last, (last.replace(day=1) - timedelta(days=1)).replace(day=15), today - timedelta(days=182)]


def _end(day: date, now: int) -> int:
    """Return the last second of a day, or now."""
    return min(int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) + DAY - 1, now)


def _moves(world: World, last: date) -> dict[str, Money]:
    """Return the expected MRR movements of the month that ends with `last`, by currency."""
    start = _end(last.replace(day=1) - timedelta(days=1), world.now)
    opening, closing = world.by_customer(start), world.by_customer(_end(last, world.now))
    ends = [_end(date.fromordinal(n), world.now) for n in _month_ends(last)]
    by_currency: dict[str, Counter[str]] = {}
    for key in {*opening, *closing}:
        was, now = opening[key], closing[key]
        if was == now:
            continue
        paid_before = any(world.by_customer(end)[key] for end in ends) if not was else True
        name = ("reactivation" if paid_before else "new") if not was else "churn" if not now else (
            "expansion" if now > was else "contraction")  # fmt: skip
        by_currency.setdefault(key[1], Counter())[name] += now - was
    return {currency: dict(sorted(counts.items())) for currency, counts in by_currency.items()}


def _month_ends(last: date) -> list[int]:
    """Return the ends (ordinals) of the months before the one that ends with `last`."""
    ends: list[int] = []
    day = last.replace(day=1) - timedelta(days=1)
    while (last - day).days < cogento_world.DAYS + 62:
        ends.append(day.toordinal())
        day = day.replace(day=1) - timedelta(days=1)
    return ends


def _rows(demo: DemoRun, name: str, day: date, months: int) -> list[dict[str, Any]]:
    return demo.call("GET", f"/reports/{name}", params={"as_of": day.isoformat(), "months": months})["rows"]


def _monthly(demo: DemoRun, day: date) -> Money:
    return {row["currency"]: row["closing"] for row in _rows(demo, "mrr", day, 1) if row["closing"]}


def _moved(demo: DemoRun, day: date) -> dict[str, Money]:
    names = ("new", "expansion", "contraction", "churn", "reactivation")
    return {row["currency"]: {name: row[name] for name in names if row[name]} for row in _rows(demo, "mrr", day, 1)}


def _less(now: Money, before: Money) -> Money:
    """Return the increase since `before`."""
    left = {name: now.get(name, 0) - before.get(name, 0) for name in sorted({*now, *before})}
    return {name: amount for name, amount in left.items() if amount}


def _all(demo: DemoRun, kind: str, filters: dict[str, str]) -> list[dict[str, Any]]:
    path = "/members" if kind == "customers" else "/members/subscriptions"
    rows: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = demo.call("GET", path, params={**filters, "limit": 100, **({"cursor": cursor} if cursor else {})})
        rows += page["items"]
        cursor = page["next_cursor"]
        if not cursor:
            return rows


def _count(demo: DemoRun, kind: str, filters: dict[str, str]) -> int:
    return len(_all(demo, kind, filters))


def _headers(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"stripe-signature": sign(body, secret, at), "content-type": "application/json"}
