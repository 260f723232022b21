"""One-time codes: refusals."""

from __future__ import annotations

from vetrina.core.errors import Refusal


class InvalidPurpose(Refusal):
    """A code for this purpose does not go there: email_verify is for an address, phone_verify and sign_in for a phone."""

    status = 422
    field = "purpose"


class WrongCode(Refusal):
    """The code is not right, or it has expired."""

    status = 422
    field = "code"


class TooManyGuesses(Refusal):
    """There were too many wrong codes. Please wait before you try again."""

    status = 429
    field = "code"

    def __init__(self, message: str | None = None, *, seconds: int = 3600) -> None:
        self.headers = {"Retry-After": str(max(1, seconds))}
        minutes = -(-max(1, seconds) // 60)
        wait = "a minute" if minutes == 1 else f"{minutes} minutes"
        super().__init__(message or f"There were too many wrong codes. Please wait {wait} before you try again.")
