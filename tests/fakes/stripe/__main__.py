"""`python -m tests.fakes.stripe --port 12111 --webhook http://127.0.0.1:8000/webhooks/stripe`: until SIGTERM."""

from __future__ import annotations

import argparse
import signal

from tests.fakes.stripe import KEY, SECRET, Mischief, StripeFake


def main() -> None:
    """Serve and print the address."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.stripe", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--webhook", action="append", default=[], metavar="URL", help="where events are sent to")
    parser.add_argument("--secret", default=SECRET, help="signs them")
    parser.add_argument("--key", default=KEY, help="the API key that is accepted")
    parser.add_argument("--copies", type=int, default=1, help="deliveries of each event")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds, at most, before each")
    parser.add_argument("--drop", type=float, default=0.0, help="share of events that never come")
    requested = parser.parse_args()
    fake = StripeFake(requested.port, key=requested.key)
    fake.post.faults = Mischief(requested.copies, requested.delay, requested.drop)
    for item in requested.webhook:
        fake.listen(item, requested.secret)
    with fake:
        print(f"Stripe, imitated: {fake.url}", flush=True)
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main()
