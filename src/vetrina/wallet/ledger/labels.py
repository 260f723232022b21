"""Titles and links of ledger entries."""

from __future__ import annotations

from collections.abc import Sequence

from vetrina.core.module import LedgerSubject
from vetrina.wallet.labels import ASSETS, amount
from vetrina.wallet.model import Entry, Kind
from vetrina.web.i18n import N_, say

KINDS: dict[str, str] = {
    Kind.GRANT: "Added",
    Kind.HOLD: "Spent",
    Kind.RELEASE: "Refunded",
    Kind.EXPIRY: "Expired",
    Kind.REVOCATION: "Revoked",
    Kind.ADJUSTMENT: "Given or taken",
}


def title(entry: Entry, subjects: Sequence[LedgerSubject]) -> str:
    """Return an entry's title: "Picture: Oil painting", "Bought 200 tokens", "Refunded: Oil painting (it failed)"."""
    if entry.kind == Kind.GRANT:
        return _came(entry)
    if entry.kind == Kind.HOLD:
        named = next((subject.named for subject in subjects if subject.named), "{name}")
        return say(named, name=say(entry.style)) if entry.style else _spent_on(entry, subjects)
    if entry.kind == Kind.RELEASE:
        why = {reason: text for subject in subjects for reason, text in subject.reasons}.get(entry.reason or "")
        refunded = say("Refunded: {what}", what=_spent_on(entry, subjects))
        return f"{refunded} ({say(why)})" if why else refunded
    if entry.kind == Kind.ADJUSTMENT:
        what = say("Given by an operator") if entry.quantity > 0 else say("Taken by an operator")
        return f"{what}: {entry.reason}" if entry.reason else what
    return f"{say(KINDS[entry.kind])}: {_came(entry, whole=False)}"


def href(entry: Entry, subjects: Sequence[LedgerSubject]) -> str | None:
    """Return the page of what the entry was for; None where it has none."""
    subject, name = _subject(entry, subjects)
    return subject.href.format(id=name) if subject else None


def _subject(entry: Entry, subjects: Sequence[LedgerSubject]) -> tuple[LedgerSubject | None, str]:
    kind, _, name = entry.subject.partition(":")
    return next((subject for subject in subjects if subject.kind == kind), None), name


def _spent_on(entry: Entry, subjects: Sequence[LedgerSubject]) -> str:
    subject, _ = _subject(entry, subjects)
    if entry.style:
        return say(entry.style)
    return say(subject.spent_on) if subject and subject.spent_on else say("{asset} used", asset=say(ASSETS[entry.asset][0]))


def _came(entry: Entry, *, whole: bool = True) -> str:
    """Return the source of a grant; with its quantity if the entry is the `whole` grant."""
    if entry.source == "purchase":
        bought = say("Bought {amount}", amount=amount(entry.asset, entry.quantity))
        return bought if whole else say(entry.note or N_("Bought credits"))
    if entry.source == "plan":
        plan = say("{plan} plan", plan=say(entry.note)) if entry.note else say("Your plan")
        return say("{plan}, grace period", plan=plan) if entry.subject.startswith("grace:") else plan
    if entry.source == "refund":
        return say("Refund: {note}", note=entry.note) if entry.note else say("Refund")
    if entry.source == "adjustment":
        return say("Given by an operator")
    if entry.subject == "welcome":
        return say("Welcome gift")
    return say("Gift: {note}", note=entry.note) if entry.note else say("Gift")
