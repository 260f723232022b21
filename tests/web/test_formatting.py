"""Formatting of figures, amounts and times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from vetrina.web import formatting as words

NOW = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KB"),
        (9_960, "10 KB"),
        (999_600, "1.0 MB"),
        (2_430_000, "2.4 MB"),
        (5 * 10**12, "5.0 TB"),
    ],
)
def test_sizes(size: int, said: str) -> None:
    assert words.filesize(size) == said


@pytest.mark.parametrize(
    ("minor", "currency", "said"),
    [
        (499, "USD", "$4.99"),
        (-1250, "EUR", "−€12.50"),
        (250_000, "IRR", "250,000 IRR"),
        (1999, "CHF", "19.99 CHF"),
        (1_500, "KWD", "1.500 KWD"),
    ],
)
def test_sums(minor: int, currency: str, said: str) -> None:
    assert words.money(minor, currency) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (3, "just now"),
        (50, "1 minute ago"),
        (3_599, "1 hour ago"),
        (3_600, "1 hour ago"),
        (-7_200, "in 2 hours"),
        (2 * 86_400, "2 days ago"),
        (8 * 86_400, "13 Nov 2026"),
    ],
)
def test_times(seconds: int, said: str) -> None:
    assert words.ago(NOW - timedelta(seconds=seconds), NOW) == said


@pytest.mark.parametrize(("ms", "said"), [(840, "0.8 s"), (9_960, "10 s"), (185_000, "3 min 5 s")])
def test_lengths(ms: int, said: str) -> None:
    assert words.duration(ms) == said


def test_counts_choose_their_word() -> None:
    assert words.count("{n} token", "{n} tokens", 1) == "1 token"
    assert words.count("{n} token", "{n} tokens", 1204) == "1,204 tokens"
