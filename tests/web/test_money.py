"""Currencies, the parser and the formatter of amounts, and the amounts that Stripe counts differently."""

from __future__ import annotations

import iso4217
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vetrina.web import formatting, money


def test_table_equals_iso_4217() -> None:
    official = {item.code: item.exponent for item in iso4217.Currency if item.exponent is not None}
    assert official == money.ISO_4217
    assert not set(money.WITHDRAWN) & set(official)


@pytest.mark.parametrize(
    ("minor", "currency", "written"),
    [
        (50_000, "VND", "50,000 VND"),
        (4_500, "CLP", "4,500 CLP"),
        (3_000, "XOF", "3,000 XOF"),
        (12_500, "OMR", "12.500 OMR"),
        (1_500, "KWD", "1.500 KWD"),
        (199_000, "HUF", "1,990.00 HUF"),
        (9_900, "TWD", "99.00 TWD"),
        (500, "ISK", "500 ISK"),
        (5_000, "UGX", "5,000 UGX"),
        (500_000, "IRR", "500,000 IRR"),
        (980, "JPY", "980 JPY"),
        (499, "USD", "$4.99"),
        (-1_250, "EUR", "−€12.50"),
        (12_345, "RSD", "123.45 RSD"),
        (10**14 + 1, "USD", "$1,000,000,000,000.01"),
    ],
)
def test_format_and_parse_agree(minor: int, currency: str, written: str) -> None:
    assert money.format_amount(minor, currency) == formatting.money(minor, currency) == written
    assert money.parse_amount(money.plain_amount(abs(minor), currency), currency) == abs(minor)


@given(st.sampled_from(sorted(money.ISO_4217)), st.integers(1, money.LARGEST - 1))
def test_formatted_amounts_parse_back_in_every_currency(currency: str, minor: int) -> None:
    assert money.parse_amount(money.plain_amount(minor, currency), currency) == minor


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        (" 4.99 ", "USD", 499),
        ("1,204.5", "USD", 120_450),
        ("1204", "USD", 120_400),
        ("12.500", "OMR", 12_500),
        ("50,000", "VND", 50_000),
        ("5.00", "JPY", 5),
        ("۲۵٬۰۰۰", "IRR", 25_000),
        ("٤٫٩٩", "EUR", 499),
        ("1 000", "ISK", 1_000),
    ],
)
def test_user_amounts_are_parsed(text: str, currency: str, minor: int) -> None:
    assert money.parse_amount(text, currency) == minor


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1E+1000000",
        "1e3",
        "-1",
        "+1",
        "0",
        "0.00",
        "nan",
        "Infinity",
        "4.999",
        "4,99",
        "1,00,000",
        "1.2.3",
        "$4",
        "9" * 63,
        "½",
    ],
)
def test_invalid_amount_is_refused(text: str) -> None:
    with pytest.raises(money.BadAmount):
        money.parse_amount(text, "USD")


@pytest.mark.parametrize("code", ["XYZ", "IRT", "TOM", "BGN", "usd", "US", "XDR", "XAU", "USDT"])
def test_unknown_currency_is_refused(code: str) -> None:
    with pytest.raises(money.UnknownCurrency, match=code):
        money.check_currency(code)


def test_withdrawn_and_unknown_codes_are_still_shown() -> None:
    assert money.format_amount(1_000, "BGN") == "10.00 BGN"
    assert money.format_amount(1_000, "IRT") == "1,000 IRT"


@pytest.mark.parametrize(
    ("minor", "currency", "stripe"),
    [
        (499, "USD", 499),
        (50_000, "VND", 50_000),
        (4_500, "CLP", 4_500),
        (12_500, "OMR", 12_500),
        (199_050, "HUF", 199_050),
        (9_950, "TWD", 9_950),
        (500, "ISK", 50_000),
        (5_000, "UGX", 500_000),
        (500_00, "MGA", 500),
        (12_345, "RSD", 12_345),
    ],
)
def test_stripe_amounts(minor: int, currency: str, stripe: int) -> None:
    assert money.to_stripe(minor, currency) == stripe
    assert money.from_stripe(stripe, currency) == minor
    assert money.format_stripe_amount(stripe, currency.lower()) == money.format_amount(minor, currency)


@pytest.mark.parametrize(("minor", "currency"), [(5_124, "KWD"), (501, "MGA")])
def test_stripe_refuses_finer_amounts(minor: int, currency: str) -> None:
    with pytest.raises(money.BadAmount, match=currency):
        money.to_stripe(minor, currency)


def test_fractions_from_stripe_are_shown_and_never_rounded() -> None:
    assert money.format_stripe_amount(4_010, "isk") == "40.10 ISK"
    with pytest.raises(money.BadAmount):
        money.from_stripe(4_010, "ISK")
