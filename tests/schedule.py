"""The order of the test files over xdist's workers: the long ones first, so that no worker is left with one at the end.

`--dist worksteal` gives each worker an equal count of tests, in their order, and moves tests from the end of one worker's list
to another that has none left.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest

SECONDS: dict[str, float] = {
    "wallet/ledger/test_state_machine.py": 28,
    "cli/test_up.py": 21,
    "accounts/verification/test_codes.py": 12,
    "scenarios/test_browser_story.py": 11,
    "payments/gateways/test_gateways.py": 10,
    "clients/builtin/test_styles.py": 10,
    "accounts/verification/test_codes_races.py": 10,
    "payments/operator/test_pages.py": 9,
    "payments/receipts/test_receipts.py": 9,
    "media/processing/test_images.py": 8,
    "scenarios/test_money_kills.py": 8,
    "core/test_embedded.py": 7,
    "accounts/second_factor/test_second_factor.py": 7,
    "scenarios/test_kills.py": 7,
    "reports/test_pages.py": 7,
    "accounts/profiles/test_browser.py": 5,
    "accounts/privacy/test_privacy.py": 5,
    "accounts/identities/test_oidc.py": 4,
    "media/files/test_api.py": 4,
}
"""What the long files take, roughly (a whole run with `--durations=0` says it), by path under tests/."""

ROOT = Path(__file__).parent


def arrange(items: list[pytest.Item], workers: int) -> None:
    """Put the long files at the beginning of each worker's part, spread by what they take; the others stay in their order."""
    files = {path: list(group) for path, group in groupby(items, lambda item: item.path)}
    starts: list[list[pytest.Item]] = [[] for _ in range(workers)]
    loads = [0.0] * workers
    for path, seconds in sorted(_long(files).items(), key=lambda pair: -pair[1]):
        lightest = loads.index(min(loads))
        loads[lightest] += seconds
        starts[lightest] += files.pop(path)
    others = [item for group in files.values() for item in group]
    arranged: list[pytest.Item] = []
    for number, start in enumerate(starts):
        part = (len(items) - len(arranged)) // (workers - number)  # as xdist divides
        fill = max(0, part - len(start))
        arranged += start + others[:fill]
        del others[:fill]
    items[:] = arranged + others


def _long(files: dict[Path, list[pytest.Item]]) -> dict[Path, float]:
    return {path: SECONDS[name] for path in files if (name := path.relative_to(ROOT).as_posix()) in SECONDS}
