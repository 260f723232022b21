"""Signing in: refusals."""

from __future__ import annotations

from vetrina.core.errors import Refusal


class PasswordOrCode(Refusal):
    """Give either the password or a code that was sent to the phone."""

    status = 422
