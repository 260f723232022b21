"""Common passwords are refused, whatever is put behind them; long and strange ones are not, and take no time."""

from __future__ import annotations

import time

import pytest

from vetrina.accounts.model import WeakPassword
from vetrina.accounts.passwords import _common, check


@pytest.mark.parametrize(
    "password",
    [
        "qwertyuiop", "1q2w3e4r5t", "christopher", "Password123!", "sunshine2026", "iloveyou1234", "vetrina12345",
        "qwertyqwerty", "passwordpassword", "aaaaaaaaaaaa", "123123123123", "Administrator", "zxcvbnm,./1", "short",
    ],
)  # fmt: skip
def test_common_passwords_are_refused(password: str) -> None:
    with pytest.raises(WeakPassword):
        check(password)


@pytest.mark.parametrize("password", ["a long enough one", "correct horse 9 battery", "گذرواژهٔ بلند من", "x" * 1023 + "y"])
def test_other_passwords_are_taken_at_once(password: str) -> None:
    _common()
    start = time.thread_time()  # of a processor: others use the machine as well
    check(password)
    assert time.thread_time() - start < 0.02


def test_the_list_is_large() -> None:
    assert len(_common()) > 10_000
