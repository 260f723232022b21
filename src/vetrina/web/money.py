"""Currencies and amounts: how many decimals a currency has, and the only parser and formatter of amounts.

Amounts are whole numbers of a currency's minor unit ("minor units"): 499 is $4.99, 4500 is 4,500 CLP, 12500 is 12.500 OMR.
Source of the decimals: ISO 4217 list one, published 2026-01-01 (`tests/web/test_money.py` compares this table with the
copy in the package `iso4217`). CLDR, which Babel carries, describes cash instead and differs in fifteen currencies
(no decimals for HUF, IDR, COP and ALL), so it is used for how a number is written and not for what it is worth.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from vetrina.web import i18n

_TWO = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC
CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR
KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN
PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS
UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
"""
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"

ISO_4217: dict[str, int] = {
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys(_NONE.split(), 0),
    **dict.fromkeys(_THREE.split(), 3),
    **dict.fromkeys(_FOUR.split(), 4),
}
"""Decimals of every currency of ISO 4217 list one that has a minor unit."""

WITHDRAWN: dict[str, int] = {"ANG": 2, "BGN": 2, "CUC": 2, "HRK": 2, "SLL": 2, "ZWL": 2}
"""Decimals of currencies that ISO withdrew since 2020 (list three): old payments show them, nothing new is sold in them."""

STORED: dict[str, int] = {"IRR": 0}
"""Decimals that differ here from ISO's: ISO gives the rial 2, but no dinar is in use, and prices here and amounts at
ZarinPal (API v4, `currency: IRR`) are whole rials."""

NOT_ISO = {"IRT": "IRR", "TOM": "IRR"}
"""Colloquial currency codes, with ISO's code. A toman is ten rials: confusing them is an error by a factor of ten."""

# Source: Stripe, "Supported currencies", sections Zero-decimal, Three-decimal and Special cases.
STRIPE_ZERO_DECIMAL = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF")
)
"""Currencies whose amounts at Stripe are whole units. MGA has two decimals at ISO; UGX is listed there too, but see below."""
STRIPE_THREE_DECIMAL = frozenset(("BHD", "JOD", "KWD", "OMR", "TND"))
"""Currencies that Stripe counts in thousandths, of which the last digit has to be 0."""
STRIPE_WHOLE_IN_HUNDREDTHS = frozenset({"ISK", "UGX"})
"""Whole units at ISO and at Stripe, but written in hundredths for old clients: 5 ISK are 500, and 510 is refused.
HUF and TWD are whole for payouts only, which this site never makes; charges take their hundredths."""

LARGEST = 10**15
"""Amounts are below this many minor units."""

_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}
_CODE = re.compile(r"[A-Z]{3}")
_AMOUNT = re.compile(r"(\d{1,3}(?:[,٬'’ \u00a0\u202f]\d{3})+|\d+)(?:[.٫](\d+))?")


class UnknownCurrency(ValueError):
    """An unknown currency code; the message names it and, where known, the right one."""


class BadAmount(ValueError):
    """Text that is not an amount of a currency, or an amount that a gateway cannot charge; the message says why."""


def exponent(currency: str) -> int:
    """Return the number of decimals of `currency` (ISO code, capital letters). Raises UnknownCurrency."""
    places = STORED.get(currency, ISO_4217.get(currency, WITHDRAWN.get(currency)))
    if places is None:
        raise UnknownCurrency(_unknown(currency))
    return places


def check_currency(currency: str) -> str:
    """Return `currency` if prices can be set in it. Raises UnknownCurrency with its name."""
    if currency not in ISO_4217:
        raise UnknownCurrency(_unknown(currency))
    return currency


def parse_amount(text: str, currency: str) -> int:
    """Parse an amount as users write it into minor units: "4.99", "1,204.50", "۲۵٬۰۰۰". Raises BadAmount, UnknownCurrency.

    Digits of any script are accepted; thousands may be separated in groups of three; there is no sign and no exponent.
    """
    places = exponent(currency)
    ascii_digits = "".join(str(unicodedata.decimal(char, char)) for char in text.strip()[:64])
    match = _AMOUNT.fullmatch(ascii_digits)
    example = f"{1234:,}" if places == 0 else f"4.{'99'.ljust(places, '0')[:places]}"
    if match is None:
        raise BadAmount(f"Write a sum such as {example}.")
    whole, fraction = re.sub(r"\D", "", match[1]), (match[2] or "").rstrip("0")
    if len(fraction) > places:
        raise BadAmount(f"{currency} has {places} decimals at most." if places else f"{currency} has no decimals.")
    minor = int(whole) * 10**places + int(fraction.ljust(places, "0") or "0")
    if not 1 <= minor < LARGEST:
        raise BadAmount("Write a sum above 0." if minor < 1 else "This sum is too large.")
    return minor


def plain_amount(minor: int, currency: str) -> str:
    """Return an amount as a user would type it, which `parse_amount` accepts: 499 is "4.99"."""
    places = exponent(currency)
    return f"{_units(minor, places):.{places}f}"


def format_amount(minor: int, currency: str) -> str:
    """Format minor units with their currency: $4.99, 250,000 IRR. With an unknown code the number is shown as it is."""
    try:
        places = exponent(currency)
    except UnknownCurrency:
        return _written(Decimal(minor), 0, currency)
    return _written(_units(minor, places), places, currency)


def format_stripe_amount(amount: int, currency: str) -> str:
    """Format an amount in Stripe's units with its currency (code in any case): 500 ISK at Stripe is "5 ISK"."""
    code = currency.upper()
    value = _units(amount, stripe_exponent(code))
    try:
        places = exponent(code)
    except UnknownCurrency:
        places = stripe_exponent(code)
    whole = value == value.to_integral_value()
    return _written(value, places if whole or places else 2, code)


def stripe_exponent(currency: str) -> int:
    """Return the number of decimals in Stripe's amounts of `currency`: 2 for all that its lists do not name."""
    if currency in STRIPE_ZERO_DECIMAL:
        return 0
    return 3 if currency in STRIPE_THREE_DECIMAL else 2


def to_stripe(minor: int, currency: str) -> int:
    """Return the amount that Stripe's API takes for `minor`. Raises BadAmount for one that Stripe cannot charge."""
    amount = _units(minor, exponent(currency)).scaleb(stripe_exponent(currency))
    step = 10 if currency in STRIPE_THREE_DECIMAL else 1
    if amount != amount.to_integral_value() or int(amount) % step:
        raise BadAmount(f"Stripe cannot charge {format_amount(minor, currency)}: it takes fewer decimals of {currency}.")
    return int(amount)


def from_stripe(amount: int, currency: str) -> int:
    """Return the minor units of Stripe's amount. Raises BadAmount for a fraction that `currency` does not have."""
    minor = _units(amount, stripe_exponent(currency)).scaleb(exponent(currency))
    if minor != minor.to_integral_value():
        raise BadAmount(f"{amount} at Stripe is no whole number of minor units of {currency}.")
    return int(minor)


def _units(minor: int, places: int) -> Decimal:
    """Return `minor` in units of the currency; no digits are lost, unlike with floats."""
    return Decimal(minor).scaleb(-places)


def _written(value: Decimal, places: int, currency: str) -> str:
    sign, text = "−" if value < 0 else "", i18n.decimal(abs(value), places)
    return f"{sign}{_SYMBOLS[currency]}{text}" if currency in _SYMBOLS else f"{sign}{text} {currency}"


def _unknown(currency: str) -> str:
    text = currency[:8] or "(nothing)"
    if currency in NOT_ISO:
        return f"{text} is no currency of ISO 4217. Rials are {NOT_ISO[currency]}, ten to a toman."
    if currency in WITHDRAWN:
        return f"{text} is no longer in ISO 4217."
    if currency.upper() in ISO_4217:
        return f"{text} is written {currency.upper()}."
    return f"{text} is no currency of ISO 4217." if _CODE.fullmatch(currency) else f"{text} is no ISO 4217 code such as USD."
