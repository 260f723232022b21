"""What a module adds to the application: one declared object, and its parts."""

from __future__ import annotations

from vetrina.core.module.modules import Module, Modules
from vetrina.core.module.operator_parts import AccountSection, Figure, SearchGroup, SearchHit
from vetrina.core.module.parts import Command, ErrorPage, LedgerSubject, NotificationKind, Place, Subject

__all__ = [
    "AccountSection",
    "Command",
    "ErrorPage",
    "Figure",
    "LedgerSubject",
    "Module",
    "Modules",
    "NotificationKind",
    "Place",
    "SearchGroup",
    "SearchHit",
    "Subject",
]
