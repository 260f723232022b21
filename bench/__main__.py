"""`python -m bench [start|history|reports|thumbnail|mirror ...] [--rounds N] [--seconds S] [--json FILE]`: everything by default.

Prints a table for each part; exits with 1 when a goal is missed. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path

from bench import deliveries, generations, history, mirror, reports, thumbnail
from bench.house import House, house
from bench.race import WRK
from bench.table import Line, data, text

PARTS = ("deliveries", "start", "history", "reports", "thumbnail", "mirror")


def shown(lines: list[Line]) -> list[Line]:
    """Told as soon as they are there: the next part takes minutes."""
    print(text(lines), flush=True)
    return lines


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each race, whose medians are told")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each round")
    parser.add_argument("--rows", type=int, default=1_000_000, help="generations of the large history")
    parser.add_argument("--members", type=int, default=1_000_000, help="customers and subscriptions of the reports")
    parser.add_argument("--events", type=int, default=8000, help="webhooks of each round of the mirror's race")
    parser.add_argument("--objects", type=int, default=50_000, help="customers, and subscriptions, of a backfill")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    asked = parser.parse_args()
    parts = asked.parts or list(PARTS)
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(unknown)}")

    lines: list[Line] = []
    with contextlib.ExitStack() as stack:
        at: House | None = None
        if {"deliveries", "start", "history", "reports", "mirror"} & set(parts):
            tell("a PostgreSQL is being made")
            at = stack.enter_context(house())
        if at and "deliveries" in parts:
            tell("ten thousand webhooks of payments")
            lines += shown(deliveries.measure(at))
        if at and "start" in parts:
            tell("starting generations" + ("" if WRK else " (wrk is not installed: a slower client of our own is used)"))
            lines += shown(generations.measure(at, rounds=asked.rounds, seconds=asked.seconds))
        if at and "history" in parts:
            tell(f"pages of a history of {asked.rows:,} generations")
            lines += shown(history.measure(at, rows=asked.rows))
        if at and "reports" in parts:
            tell(f"members and reports of {asked.members:,}")
            lines += shown(reports.measure(at, rows=asked.members))
        if at and "mirror" in parts:
            tell("webhooks and backfills of the Stripe mirror")
            lines += shown(mirror.measure(at, rounds=asked.rounds, events=asked.events, objects=asked.objects))
    if "thumbnail" in parts:
        tell("thumbnails")
        lines += shown(asyncio.run(thumbnail.measure()))
    missed = [each.what for each in lines if each.met is False]
    told = f"{len(missed)} missed." if missed else "All goals met."
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors. {told}")
    if asked.json:
        asked.json.write_text(json.dumps(data(lines), indent=2) + "\n")
    return 1 if missed else 0


def tell(what: str) -> None:
    """A line about what is under way."""
    print(f"... {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
