"""Languages: the messages of the catalogues (gettext) and how numbers, amounts and dates are written (CLDR, by Babel).

English is the language of the source. `make messages` collects what is marked in templates and code (`_`, `_n`, `say`,
`say_as`, `count`, `N_`, `NN_`, `NP_`) into `locale/vetrina.pot`, brings `locale/<language>/LC_MESSAGES/vetrina.po` up to date
and compiles it. A message that a catalogue lacks is written in English.

The language is that of the current context (`use`), English outside of one. Babel writes the digits 0 to 9 in every language,
also beside the separators of the language's own numbering system: `digits` mends that.
"""

from __future__ import annotations

import gettext as catalogues
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date as Date
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from babel import Locale

from vetrina.web import time_zones

Language = Literal["en", "fa"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
TITLES: dict[Language, str] = {"en": "English", "fa": "فارسی"}
"""Each language as its own readers write it."""
COOKIE = "language"
DOMAIN = "vetrina"
FOLDER = Path(__file__).resolve().parent / "locale"
# British English: 21 Nov 2026, and not Nov 21, 2026.
_LOCALES: dict[Language, str] = {"en": "en_GB", "fa": "fa_IR"}

_language: ContextVar[Language] = ContextVar("language", default="en")


def current() -> Language:
    """Return the language of this context."""
    return _language.get()


@contextmanager
def use(language: Language) -> Generator[None]:
    """Write in `language` within the block."""
    token = _language.set(language)
    try:
        yield
    finally:
        _language.reset(token)


def preferred(accept_language: str | None) -> Language:
    """Return our language that Accept-Language (RFC 9110) weighs highest; English when it names none of ours."""
    best: tuple[float, Language] = (0.0, "en")
    for part in (accept_language or "").split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        for language in LANGUAGES:
            if tag.lower().split("-")[0] == language and weight > best[0]:
                best = (weight, language)
    return best[1]


def named(code: str | None) -> Language | None:
    """Return the language of a code, None for one that is not ours."""
    return next((language for language in LANGUAGES if language == code), None)


def direction(language: Language) -> Literal["ltr", "rtl"]:
    """Return the direction in which `language` is written."""
    return "rtl" if _locale(language).text_direction == "rtl" else "ltr"


def N_(message: str) -> str:
    """Return `message` as it is; marks a message that is translated where it is shown."""
    return message


def NN_(one: str, many: str) -> tuple[str, str]:
    """Return both forms as they are; marks a message with a number that `count` translates where it is shown."""
    return one, many


def NP_(context: str, message: str) -> str:
    """Return `message` as it is; marks a message that `say_as` translates in `context` where it is shown."""
    return message


def say(message: str, /, **values: object) -> str:
    """Return `message` in the current language with `{name}` filled in from `values`."""
    text = _catalogue(current()).gettext(message) if message else ""  # gettext knows "" as the catalogue's head
    return text.format(**values) if values else text


def say_as(context: str, message: str, /, **values: object) -> str:
    """Return `message` as `say` does, where the same English words are translated in several ways."""
    text = _catalogue(current()).pgettext(context, message)
    return text.format(**values) if values else text


def count(one: str, many: str, n: int, /, **values: object) -> str:
    """Return the form for `n` in the current language, with `{n}` filled in as a number of that language."""
    return _catalogue(current()).ngettext(one, many, n).format(n=number(n), **values)


def number(value: float) -> str:
    """Return a number with thousands separated, a fraction with four significant digits: 1,204 or ۱٬۲۰۴."""
    from babel.numbers import format_decimal

    exact = value if isinstance(value, int) else Decimal(f"{value:.4g}")
    locale = _locale(current())
    return digits(format_decimal(exact, format="#,##0.###############", locale=locale, numbering_system="default"))


def decimal(value: Decimal, places: int) -> str:
    """Return a number with exactly `places` decimals: 12.500 or ۱۲٫۵۰۰."""
    from babel.numbers import format_decimal

    pattern = "#,##0" + ("." + "0" * places if places else "")
    locale = _locale(current())
    return digits(format_decimal(value, format=pattern, locale=locale, decimal_quantization=False, numbering_system="default"))


def date(moment: Date) -> str:
    """Return the day of a date, or of a moment in the reader's zone: 21 Nov 2026; in Persian of its calendar: ۱۴۰۵/۰۸/۳۰."""
    from babel.dates import format_date

    day = moment.astimezone(time_zones.current()).date() if isinstance(moment, datetime) else moment
    if current() == "fa":
        import jdatetime  # pyright: ignore[reportMissingTypeStubs]  # CLDR's Persian calendar is not in Babel

        calendar: Any = jdatetime
        persian = calendar.date.fromgregorian(date=day)
        return digits(f"{persian.year}/{persian.month:02}/{persian.day:02}")
    return format_date(day, "d MMM y", locale=_locale("en"))


def digits(text: str) -> str:
    """Return `text` with 0 to 9 as digits of the current language."""
    return text.translate(_DIGITS) if current() == "fa" else text


def comma() -> str:
    """Return the comma of the current language."""
    return "،" if current() == "fa" else ","


def month(day: Date) -> str:
    """Return the month of a date: Mar 2026."""
    from babel.dates import format_date

    return digits(format_date(day, "MMM y", locale=_locale(current())))


def percent(share: float) -> str:
    """Return a share of 1 with one decimal: 12.5 %."""
    return f"{decimal(Decimal(repr(round(share * 100, 1))), 1)} %"


def distance(unit: str, n: int) -> str:
    """Return how far away a moment is: `n` of `unit` (minute, hour, day) ahead, or behind when negative."""
    from datetime import timedelta

    from babel.dates import format_timedelta

    # A threshold of 1: a unit is taken when there is a whole one of it, so the unit that was chosen stays.
    span = timedelta(**{f"{unit}s": n})
    size, locale = _GRANULARITY[unit], _locale(current())
    return digits(format_timedelta(span, granularity=size, threshold=1, add_direction=True, locale=locale))


_DIGITS = str.maketrans("0123456789,.", "۰۱۲۳۴۵۶۷۸۹٬٫")
_GRANULARITY: dict[str, Literal["minute", "hour", "day"]] = {"minute": "minute", "hour": "hour", "day": "day"}


@cache
def _locale(language: Language) -> Locale:
    return Locale.parse(_LOCALES[language])


@cache
def _catalogue(language: Language) -> catalogues.NullTranslations:
    return catalogues.translation(DOMAIN, FOLDER, [language], fallback=language == "en")
