"""`python -m bench [PART ...] [--rounds N] [--seconds S] [--json FILE]`: every part by default.

Parts: webhooks, start, messages, history, reports, mirror, thumbnail.

Prints a table for each part; exits with 1 when a goal is missed. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import generations, history, messages, reports, thumbnail, webhook_load
from bench.environment import Environment, running_environment
from bench.load_test import WRK
from bench.mirror import benchmark as mirror
from bench.report import Line, data, text

PARTS = ("webhooks", "start", "messages", "history", "reports", "thumbnail", "mirror")


def print_report(lines: list[Line]) -> list[Line]:
    """Print lines as soon as they are measured: the next part takes minutes."""
    print(text(lines), flush=True)
    return lines


def measure_messages(env: Environment | None, parts: Sequence[str], options: argparse.Namespace) -> list[Line]:
    """Measure the part `messages`, if it was asked for."""
    if env is None or "messages" not in parts:
        return []
    announce("messages: sending, delivery to another process, open streams")
    return print_report(messages.measure(env, rounds=options.rounds, seconds=options.seconds))


def main() -> int:
    """Run the requested parts."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each comparison, of which the medians are reported")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each round")
    parser.add_argument("--rows", type=int, default=1_000_000, help="generations of the large history")
    parser.add_argument("--members", type=int, default=1_000_000, help="customers and subscriptions of the reports")
    parser.add_argument("--events", type=int, default=8000, help="webhooks of each round of the mirror")
    parser.add_argument("--objects", type=int, default=50_000, help="customers, and subscriptions, of a backfill")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    parts = options.parts or list(PARTS)
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(unknown)}")

    lines: list[Line] = []
    with contextlib.ExitStack() as stack:
        env: Environment | None = None
        if {"webhooks", "start", "messages", "history", "reports", "mirror"} & set(parts):
            announce("starting PostgreSQL")
            env = stack.enter_context(running_environment())
        if env and "webhooks" in parts:
            announce("ten thousand webhooks of payments")
            lines += print_report(webhook_load.measure(env))
        if env and "start" in parts:
            announce("starting generations" + ("" if WRK else " (wrk is not installed: using the slower load client)"))
            lines += print_report(generations.measure(env, rounds=options.rounds, seconds=options.seconds))
        lines += measure_messages(env, parts, options)
        if env and "history" in parts:
            announce(f"pages of a history of {options.rows:,} generations")
            lines += print_report(history.measure(env, rows=options.rows))
        if env and "reports" in parts:
            announce(f"members and reports of {options.members:,}")
            lines += print_report(reports.measure(env, rows=options.members))
        if env and "mirror" in parts:
            announce("webhooks and backfills of the Stripe mirror")
            lines += print_report(mirror.measure(env, rounds=options.rounds, events=options.events, objects=options.objects))
    if "thumbnail" in parts:
        announce("thumbnails")
        lines += print_report(asyncio.run(thumbnail.measure()))
    missed_goals = [line.what for line in lines if line.goal_met is False]
    result = f"{len(missed_goals)} missed." if missed_goals else "All goals met."
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors. {result}")
    if options.json:
        options.json.write_text(json.dumps(data(lines), indent=2) + "\n")
    return 1 if missed_goals else 0


def announce(what: str) -> None:
    """Print which part is running."""
    print(f"... {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
