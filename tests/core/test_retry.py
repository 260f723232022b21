"""Retries: bounded, doubling, obedient to what a server asks for within our patience."""

from __future__ import annotations

import pytest

from vetrina.core.retry import Backoff, Passing, retried, retry_after


class Pauses(list[float]):
    """Remembers how long it was asked to wait."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def failing(*errors: Exception):
    """Return a call that raises these one after the other and then returns "done"."""
    left = list(errors)

    async def call() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return call


async def test_delays_double_up_to_the_longest() -> None:
    pauses = Pauses()
    backoff = Backoff(tries=6, first=1.0, longest=4.0, sleep=pauses)
    assert await retried(failing(*[Passing("busy")] * 5), backoff) == "done"
    for pause, middle in zip(pauses, (1, 2, 4, 4, 4), strict=True):
        assert 0.75 * middle <= pause <= 1.25 * middle


async def test_the_last_failure_is_raised_and_others_go_straight_through() -> None:
    pauses = Pauses()
    with pytest.raises(Passing, match="third"):
        await retried(failing(Passing("first"), Passing("second"), Passing("third")), Backoff(tries=3, sleep=pauses))
    assert len(pauses) == 2
    with pytest.raises(KeyError):
        await retried(failing(KeyError()), Backoff(sleep=pauses))
    assert len(pauses) == 2


async def test_a_server_is_waited_for_within_our_patience() -> None:
    pauses = Pauses()
    await retried(failing(Passing("busy", after=7.0)), Backoff(sleep=pauses))
    assert 7.0 <= pauses[0] <= 7.2
    with pytest.raises(Passing, match="asks us to wait 2 minutes"):
        await retried(failing(Passing("Busy.", after=120.0)), Backoff(sleep=pauses))
    assert len(pauses) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"retry-after": "3"}, 3), ({"retry-after-ms": "250"}, 0.25), ({}, None), ({"retry-after": "nan"}, None),
     ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0)],
)  # fmt: skip
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds
