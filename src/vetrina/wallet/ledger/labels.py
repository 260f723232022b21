"""Titles and links of ledger entries."""

from __future__ import annotations

from collections.abc import Sequence

from vetrina.core.module import LedgerSubject
from vetrina.wallet.labels import ASSETS, amount
from vetrina.wallet.model import Entry, Kind

KINDS: dict[str, str] = {
    Kind.GRANT: "Added",
    Kind.HOLD: "Spent",
    Kind.RELEASE: "Refunded",
    Kind.EXPIRY: "Expired",
    Kind.REVOCATION: "Revoked",
}


def title(entry: Entry, subjects: Sequence[LedgerSubject]) -> str:
    """Return an entry's title: "Picture: Oil painting", "Bought 200 tokens", "Refunded: Oil painting (it failed)"."""
    if entry.kind == Kind.GRANT:
        return _came(entry)
    if entry.kind == Kind.HOLD:
        named = next((subject.named for subject in subjects if subject.named), "{name}")
        return named.format(name=entry.style) if entry.style else _spent_on(entry, subjects)
    if entry.kind == Kind.RELEASE:
        why = {reason: text for subject in subjects for reason, text in subject.reasons}.get(entry.reason or "")
        return f"Refunded: {_spent_on(entry, subjects)}{f' ({why})' if why else ''}"
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
    """Return the source of a grant; with its quantity if the entry is the `whole` grant."""
    if entry.source == "purchase":
        return f"Bought {amount(entry.asset, entry.quantity)}" if whole else entry.note or "Bought credits"
    if entry.source == "plan":
        plan = f"{entry.note} plan" if entry.note else "Your plan"
        return f"{plan}, grace period" if entry.subject.startswith("grace:") else plan
    if entry.source == "refund":
        return f"Refund: {entry.note}" if entry.note else "Refund"
    if entry.subject == "welcome":
        return "Welcome gift"
    return f"Gift: {entry.note}" if entry.note else "Gift"
