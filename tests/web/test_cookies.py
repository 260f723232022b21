"""Cookies are parsed in linear time."""

from __future__ import annotations

import time

import pytest

from tests.factories import Make
from tests.server import Site
from vetrina.core.web.http.cookies import value_of, without_backslashes


@pytest.mark.parametrize("filler", ['a="' + '\\"' * 3900 + '"', "a=b; " * 1500, "a=" + "\\101" * 1900, ";" * 7800])
async def test_long_cookies_are_parsed_fast(site: Site, make: Make, filler: str) -> None:
    """9.B6: eight kilobytes of whatever shape beside the session's own cookie."""
    account = await make.account()
    own = "; ".join(f"{name}={value}" for name, value in account.cookies.items())
    await site.client.get("/library", headers={"cookie": own})
    plain, long = [], []
    for _ in range(5):
        for times, header in ((plain, own), (long, f"{filler[: 8100 - len(own)]}; {own}")):
            started = time.perf_counter()
            answer = await site.client.get("/library", headers={"cookie": header})
            times.append(time.perf_counter() - started)
            assert answer.status_code == 200, "signed in"
    assert min(long) < min(plain) + 0.1


def test_invalid_cookies_are_skipped_and_valid_ones_parsed() -> None:
    """9.B6: pairs with a backslash alone; of several cookies with one name the last."""
    headers = [(b"cookie", b'a=1; b="x\\"y"; c=3'), (b"accept", b"\\")]
    assert without_backslashes(headers) == [(b"cookie", b"a=1; c=3"), (b"accept", b"\\")]
    same = [(b"cookie", b"a=1")]
    assert without_backslashes(same) is same
    assert value_of('a=1; b="2"; a=3; c', "a") == "3"
    assert value_of('a=1; b="2"; c', "b") == "2"
    assert value_of("a=1; c", "c") is None
