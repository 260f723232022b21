"""Titles and links of ledger entries."""

from __future__ import annotations

from vetrina.wallet.labels import ASSETS, amount
from vetrina.wallet.model import Entry, Kind

KINDS: dict[str, str] = {
    Kind.GRANT: "Came in",
    Kind.HOLD: "Spent",
    Kind.RELEASE: "Returned",
    Kind.EXPIRY: "Lapsed",
    Kind.REVOCATION: "Taken back",
}

def title(entry: Entry) -> str:
    """What happened: "Picture: Oil painting", "Bought 200 tokens", "Returned: Oil painting (it failed)"."""
    if entry.kind == Kind.GRANT:
        return _came(entry)
    if entry.kind == Kind.HOLD:
        return f"Picture: {entry.style}" if entry.style else _spent_on(entry)
    if entry.kind == Kind.RELEASE:
        why = {"generation failed": " (it failed)", "generation cancelled": " (cancelled)"}.get(entry.reason or "", "")
        return f"Returned: {_spent_on(entry)}{why}"
    return f"{KINDS[entry.kind]}: {_came(entry, whole=False)}"


def href(entry: Entry) -> str | None:
    """The page of the generation, file or payment that it was for."""
    what, _, name = entry.subject.partition(":")
    if what == "generation":
        return f"/studio/generations/{name}"
    if what == "upload":
        return f"/library/{name}"
    return f"/payments/{name}" if what == "payment" else None


def _spent_on(entry: Entry) -> str:
    if entry.subject.startswith("upload:"):
        return "A file in your library"
    return entry.style or f"{ASSETS[entry.asset][0]} used"


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
