"""Titles and links of ledger entries."""

from __future__ import annotations

from collections.abc import Sequence

from vetrina.core.module import LedgerSubject
from vetrina.wallet.labels import ASSETS, amount
from vetrina.wallet.model import Entry, Kind

KINDS: dict[str, str] = {
    Kind.GRANT: "Came in",
    Kind.HOLD: "Spent",
    Kind.RELEASE: "Returned",
    Kind.EXPIRY: "Lapsed",
    Kind.REVOCATION: "Taken back",
}


def title(entry: Entry, subjects: Sequence[LedgerSubject]) -> str:
    """What happened: "Picture: Oil painting", "Bought 200 tokens", "Returned: Oil painting (it failed)"."""
    if entry.kind == Kind.GRANT:
        return _came(entry)
    if entry.kind == Kind.HOLD:
        named = next((subject.named for subject in subjects if subject.named), "{name}")
        return named.format(name=entry.style) if entry.style else _spent_on(entry, subjects)
    if entry.kind == Kind.RELEASE:
        why = {reason: text for subject in subjects for reason, text in subject.reasons}.get(entry.reason or "")
        return f"Returned: {_spent_on(entry, subjects)}{f' ({why})' if why else ''}"
    return f"{KINDS[entry.kind]}: {_came(entry, whole=False)}"


def href(entry: Entry, subjects: Sequence[LedgerSubject]) -> str | None:
    """Return the page of what the entry was for; None where it has none."""
    subject, name = _subject(entry, subjects)
    return subject.href.format(id=name) if subject else None


def _subject(entry: Entry, subjects: Sequence[LedgerSubject]) -> tuple[LedgerSubject | None, str]:
    kind, _, name = entry.subject.partition(":")
    return next((subject for subject in subjects if subject.kind == kind), None), name


def _spent_on(entry: Entry, subjects: Sequence[LedgerSubject]) -> str:
    subject, _ = _subject(entry, subjects)
    return entry.style or (subject.spent_on if subject else "") or f"{ASSETS[entry.asset][0]} used"


def _came(entry: Entry, *, whole: bool = True) -> str:
    """Where credits came from. Of a whole grant the quantity is told; of what was left of one it is not."""
    if entry.source == "purchase":
        return f"Bought {amount(entry.asset, entry.quantity)}" if whole else entry.note or "Bought credits"
    if entry.source == "plan":
        plan = f"{entry.note} plan" if entry.note else "Your plan"
        return f"{plan}, back for the days of grace" if entry.subject.startswith("grace:") else plan
    if entry.source == "refund":
        return f"Given back: {entry.note}" if entry.note else "Given back"
    if entry.subject == "welcome":
        return "Welcome gift"
    return f"Gift: {entry.note}" if entry.note else "Gift"
