"""Confirmation: errors."""

from __future__ import annotations

from vetrina.core.errors import Refusal


class PasswordConfirmationRequired(Refusal):
    """Confirm your password first, by POST /api/v1/auth/confirmation. That lasts ten minutes."""

    status = 403


class SignInAgainToConfirm(Refusal):
    """This account has neither a password nor a second factor to confirm with. Sign out and in again, then repeat this."""

    status = 403
