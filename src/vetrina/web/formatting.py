"""Formatting of sizes, amounts and times on pages, in the current language (`vetrina.web.i18n`)."""

from __future__ import annotations

from datetime import UTC, datetime

from vetrina.web import i18n, time_zones
from vetrina.web.i18n import N_, count, number, say
from vetrina.web.i18n import date as day
from vetrina.web.money import format_amount as money

__all__ = ["ago", "both", "count", "day", "duration", "filesize", "moment", "moment_utc", "money", "number", "say"]

_SIZES = (N_("B"), N_("KB"), N_("MB"), N_("GB"), N_("TB"))


def filesize(size: int) -> str:
    """Format a number of bytes in powers of 1000: 2.4 MB."""
    amount, unit = float(size), 0
    while amount >= 999.5 and unit < len(_SIZES) - 1:
        amount, unit = amount / 1000, unit + 1
    written = f"{amount:.0f}" if amount >= 9.95 or unit == 0 else f"{amount:.1f}"
    return f"{i18n.digits(written)} {say(_SIZES[unit])}"


def duration(milliseconds: int) -> str:
    """Format a duration: 0.8 s, 12 s, 3 min 5 s."""
    if milliseconds < 9_950:
        return say("{seconds} s", seconds=i18n.digits(f"{milliseconds / 1000:.1f}"))
    seconds = round(milliseconds / 1000)
    if seconds < 60:
        return say("{seconds} s", seconds=number(seconds))
    return say("{minutes} min {seconds} s", minutes=number(seconds // 60), seconds=number(seconds % 60))


def ago(moment: datetime, now: datetime | None = None) -> str:
    """Format how long ago (or ahead) a moment is; the date if it is more than a week."""
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    near = abs(seconds)
    if near < 45:
        return say("just now") if seconds >= 0 else say("in a moment")
    if near >= 7 * 86_400:
        return day(moment)
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if near >= size * 0.99 or size == 60:  # 59.6 minutes are an hour, not 60 minutes
            n = max(1, round(near / size))
            return i18n.distance(unit, -n if seconds >= 0 else n)
    raise AssertionError("the minutes always answer")


def moment(time: datetime) -> str:
    """Format a date and time in the reader's zone, with its name: 21 Nov 2026, 14:05 UTC."""
    local = time.astimezone(time_zones.current())
    return f"{day(time)}{i18n.comma()} {i18n.digits(f'{local:%H:%M}')} {time_zones.label(local)}"


def moment_utc(time: datetime) -> str:
    """Format a date and time in UTC, whatever the reader's zone is."""
    with time_zones.use(time_zones.UTC):
        return moment(time)


def both(time: datetime) -> str:
    """Format a date and time in the reader's zone and in UTC."""
    local, utc = moment(time), moment_utc(time)
    return local if local == utc else f"{local} ({utc})"
