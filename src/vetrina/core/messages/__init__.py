"""Mail, SMS and the development outbox."""

from __future__ import annotations

from typing import Literal

from vetrina.core.messages import sms
from vetrina.core.settings.environment import Settings


def delivers(settings: Settings, channel: Literal["email", "phone"]) -> bool:
    """Return whether messages by this channel reach anyone: a server is set up, or the outbox of a development site."""
    if settings.development:
        return True
    return bool(settings.smtp_url) if channel == "email" else sms.provider(settings) is not None
