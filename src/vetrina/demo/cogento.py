"""`vetrina demo cogento`: a membership's year at Stripe arrives in no order, and the reports tell it as it was."""

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
from vetrina.core.settings import Settings
from vetrina.demo import cogento_events as cogento_world
from vetrina.demo import operator
from vetrina.demo.cogento_events import World
from vetrina.demo.runner import Lie, Story
from vetrina.stripe_mirror.consistency.sample_data import DAY
from vetrina.stripe_mirror.events import sign
from vetrina.web import formatting as words

CLIENTS = 16
AGAIN = 10
"""One event in so many is delivered twice, as Stripe does now and then."""
Money = dict[str, int]


def tell(story: Story, settings: Settings, *, members: int = cogento_world.MEMBERS) -> None:
    """The whole story of so many members. Raises Lie at the first thing that is not so."""
    secret = settings.stripe_webhook_secret.split(",")[0].strip()
    if not secret:
        raise Lie("the site and this command need the same STRIPE_WEBHOOK_SECRET; any word will do, such as whsec_demo")
    with story.step("The site is up, and an operator signs in"):
        story.check("/readyz answers 200", story.client.get("/readyz").status_code == 200)
        login = operator.appoint(story, settings)
        opened = story.call("POST", "/auth/session", json={"email": login.email, "password": login.password}, expect=201)
        stranger = story.client.get("/api/v1/reports/mrr").status_code
        story.check("nobody else sees a report", stranger == 401, stranger)
        story.sign_in(opened["access_token"])
    days = _days()
    before = {day: _monthly(story, day) for day in days}
    moved = _moved(story, days[1])
    with story.step("A membership's year is made up, as Stripe would have told it"):
        world = cogento_world.make(f"demo{secrets.token_hex(3)}", int(time.time()) - 30, members=members)
        bodies = [json.dumps(each).encode() for each in world.events]
        size = sum(map(len, bodies))
        story.say(f"{len(bodies):,} events, {words.filesize(size)}, over {cogento_world.DAYS} days")
        shapes = Counter(str(each["api_version"]) for each in world.events)
        story.check("in both shapes of the API", len(shapes) == 2 and min(shapes.values()) > members, shapes)
        story.check("some within one second of each other", world.ties >= members // 40, world.ties)
    _refusals(story, bodies[0], secret)
    _deliver(story, bodies, secret)
    _members(story, world)
    _reports(story, world, days, before, moved)
    _under_documented_names(story, world, settings)
    _ending(story)


def _refusals(story: Story, body: bytes, secret: str) -> None:
    with story.step("What Stripe did not send is refused"):
        now = int(time.time())
        for what, headers in (
            ("a wrong secret", _headers(body, "whsec_of_somebody_else", now)),
            ("a signature six minutes old", _headers(body, secret, now - 360)),
            ("no signature", {"content-type": "application/json"}),
        ):
            status = story.client.post("/webhooks/stripe", content=body, headers=headers).status_code
            story.check(f"{what}: 400", status == 400, status)


def _deliver(story: Story, bodies: Sequence[bytes], secret: str) -> None:
    with story.step("All of it arrives, shuffled, some of it twice"):
        order = [*bodies, *random.sample(bodies, len(bodies) // AGAIN)]
        random.shuffle(order)
        started = time.perf_counter()
        answers = asyncio.run(_post(story, order, secret))
        seconds = time.perf_counter() - started
        told = Counter(status for status, _ in answers)
        story.check("every one is answered 200", set(told) == {200}, dict(told))
        new = sum(1 for _, body in answers if body.get("new"))
        story.check(f"each of the {len(bodies):,} was new once", new == len(bodies), new)
        story.say(f"{len(order) / seconds:,.0f} a second over {CLIENTS} connections, each kept before its answer")
    with story.step("A part of it comes once more"):
        answers = asyncio.run(_post(story, random.sample(bodies, len(bodies) // 20), secret))
        story.check("nothing of it is new", not any(body.get("new") for _, body in answers))


async def _post(story: Story, bodies: Sequence[bytes], secret: str) -> list[tuple[int, dict[str, Any]]]:
    """Deliver them over several connections; status and body of each answer."""
    left = iter(bodies)
    answers: list[tuple[int, dict[str, Any]]] = []
    columns = [TextColumn("       "), BarColumn(bar_width=32), TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
               TimeRemainingColumn()]  # fmt: skip
    with Progress(*columns, console=story.console, transient=True) as bar:
        task = bar.add_task("", total=len(bodies))

        async def client() -> None:
            async with httpx2.AsyncClient(base_url=story.address, timeout=60) as http:
                for body in left:
                    answer = await http.post("/webhooks/stripe", content=body, headers=_headers(body, secret, int(time.time())))
                    answers.append((answer.status_code, answer.json()))
                    bar.advance(task)

        await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return answers


def _members(story: Story, world: World) -> None:
    with story.step("Members are found by what their metadata says"):
        demo = {"metadata.demo": world.tag}
        there = _count(story, "customers", demo)
        story.check(f"{len(world.metadata)} members: who was deleted stays deleted, whatever comes late",
                    there == len(world.metadata), there)  # fmt: skip
        for kind in ("Adult", "Student"):
            wanted = sum(1 for each in world.metadata.values() if each["membership_type"] == kind)
            found = _count(story, "customers", {**demo, "metadata.membership_type": kind})
            story.check(f"membership_type={kind}: {wanted} customers", found == wanted, found)
        left = sum(1 for each in world.metadata.values() if "joined" not in each)
        pages = _all(story, "customers", demo)
        story.check(f"what Stripe removed from metadata is gone here: {left} without `joined`",
                    sum(1 for each in pages if "joined" not in each["metadata"]) == left)  # fmt: skip
        wanted = world.kinds["Premium"]
        found = _count(story, "subscriptions", {**demo, "metadata.subscription_type": "Premium"})
        story.check(f"subscription_type=Premium: {wanted} subscriptions, by their own metadata", found == wanted, found)


def _reports(story: Story, world: World, days: list[date], before: dict[date, Money], moved: dict[str, Money]) -> None:
    with story.step("The reports tell it as it was, on any day"):
        for day in days:
            wanted = {name: amount for name, amount in world.monthly(_end(day, world.now)).items() if amount}
            found = _less(_monthly(story, day), before[day])
            said = ", ".join(words.money(amount, name.upper()) for name, amount in sorted(wanted.items()))
            story.check(f"recurring revenue on {day:%d %b %Y}: {said}", found == wanted, found)
        month = days[1]
        wanted_moves = _moves(world, month)
        found_moves = {name: _less(row, moved.get(name, {})) for name, row in _moved(story, month).items()}
        found_moves = {name: row for name, row in found_moves.items() if row}
        said = ", ".join(f"{name} {words.money(n, 'EUR')}" for name, n in wanted_moves.get("eur", {}).items())
        story.check(f"what moved it in {month:%B}: {said}", found_moves == wanted_moves, found_moves)
    with story.step("Money, failures and what came back of them"):
        paid = Counter[tuple[str, str]]()
        for row in _rows(story, "revenue", days[0], 24):
            paid[row["month"][:7], row["currency"]] += row["invoiced"]
        short = [key for key, amount in world.invoiced.items() if paid[key] < amount]
        story.check("every month's invoices are in the revenue, by currency", short == [], short)
        failures = _rows(story, "failures", days[0], 24)
        found = {name: sum(row[column] for row in failures)
                 for name, column in (("failed", "invoices"), ("recovered", "recovered"), ("lost", "lost"))}  # fmt: skip
        said = f"{world.failed['failed']} payments failed, {world.failed['recovered']} were made good"
        story.check(said, all(found[name] >= count for name, count in world.failed.items()), found)
        ahead = sum(row["renewing"] for row in _rows(story, "renewals", days[0], 1))
        story.check("renewals lie ahead", ahead > 0, ahead)


def _under_documented_names(story: Story, world: World, settings: Settings) -> None:
    with story.step("Other tools read it under the documented names"):
        found = asyncio.run(_as_reporting(settings, world.tag))
        story.check("doc_cogento.users joins doc_cogento.subscriptions", found[0] == len(world.metadata), found[0])
        story.check("addresses are masked there", found[1] == 0, found[1])


async def _as_reporting(settings: Settings, tag: str) -> tuple[int, int]:
    def ask(uri: str) -> tuple[int, int]:
        with psycopg.connect(uri) as connection:
            row = connection.execute(
                """select count(distinct u.user_id), count(*) filter (where u.email not like '_***@%%')
                     from doc_cogento.users u left join doc_cogento.subscriptions s on u.user_id = s.user_id
                    where u.metadata @> jsonb_build_object('demo', %s::text)""",
                (tag,),
            ).fetchone()
        return row or (0, 0)

    async with reaching(settings) as access:
        return await asyncio.to_thread(ask, access.reporting)


def _ending(story: Story) -> None:
    with story.step("How it stands"):
        rows = [row for row in _rows(story, "mrr", datetime.now(UTC).date(), 13) if row["currency"] == "eur"]
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
        story.console.print(table)
        story.say(f"The rest: {story.address}/reports and {story.address}/members")


def _days() -> list[date]:
    """Today, the end of last month, the middle of the month before that, and half a year ago."""
    today = datetime.now(UTC).date()
    last = today.replace(day=1) - timedelta(days=1)
    return [today, last, (last.replace(day=1) - timedelta(days=1)).replace(day=15), today - timedelta(days=182)]


def _end(day: date, now: int) -> int:
    """The last second of a day, or now."""
    return min(int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) + DAY - 1, now)


def _moves(world: World, last: date) -> dict[str, Money]:
    """What moved the month that ends with `last`, by currency, worked out from the truth."""
    start = _end(last.replace(day=1) - timedelta(days=1), world.now)
    opening, closing = world.by_customer(start), world.by_customer(_end(last, world.now))
    ends = [_end(date.fromordinal(n), world.now) for n in _month_ends(last)]
    found: dict[str, Counter[str]] = {}
    for key in {*opening, *closing}:
        was, now = opening[key], closing[key]
        if was == now:
            continue
        paid_before = any(world.by_customer(end)[key] for end in ends) if not was else True
        name = ("reactivation" if paid_before else "new") if not was else "churn" if not now else (
            "expansion" if now > was else "contraction")  # fmt: skip
        found.setdefault(key[1], Counter())[name] += now - was
    return {currency: dict(sorted(each.items())) for currency, each in found.items()}


def _month_ends(last: date) -> list[int]:
    """The ends (ordinals) of the months before the one that ends with `last`."""
    found: list[int] = []
    day = last.replace(day=1) - timedelta(days=1)
    while (last - day).days < cogento_world.DAYS + 62:
        found.append(day.toordinal())
        day = day.replace(day=1) - timedelta(days=1)
    return found


def _rows(story: Story, name: str, day: date, months: int) -> list[dict[str, Any]]:
    return story.call("GET", f"/reports/{name}", params={"as_of": day.isoformat(), "months": months})["rows"]


def _monthly(story: Story, day: date) -> Money:
    return {row["currency"]: row["closing"] for row in _rows(story, "mrr", day, 1) if row["closing"]}


def _moved(story: Story, day: date) -> dict[str, Money]:
    names = ("new", "expansion", "contraction", "churn", "reactivation")
    return {row["currency"]: {name: row[name] for name in names if row[name]} for row in _rows(story, "mrr", day, 1)}


def _less(now: Money, before: Money) -> Money:
    """What has come to it."""
    left = {name: now.get(name, 0) - before.get(name, 0) for name in sorted({*now, *before})}
    return {name: amount for name, amount in left.items() if amount}


def _all(story: Story, kind: str, filters: dict[str, str]) -> list[dict[str, Any]]:
    path = "/members" if kind == "customers" else "/members/subscriptions"
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = story.call("GET", path, params={**filters, "limit": 100, **({"cursor": cursor} if cursor else {})})
        found += page["items"]
        cursor = page["next_cursor"]
        if not cursor:
            return found


def _count(story: Story, kind: str, filters: dict[str, str]) -> int:
    return len(_all(story, kind, filters))


def _headers(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"stripe-signature": sign(body, secret, at), "content-type": "application/json"}

