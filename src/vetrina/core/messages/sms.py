"""SMS: the provider interface and the Twilio implementation."""

from __future__ import annotations

from typing import Protocol

import httpx2

from vetrina.core.settings.environment import Settings

SECONDS = 15.0


class SmsFailed(Exception):
    """The provider did not accept the message; `final` when a retry would not help."""

    def __init__(self, message: str, *, final: bool) -> None:
        self.final = final
        super().__init__(message)


class Provider(Protocol):
    """An SMS provider."""

    async def send(self, *, to: str, text: str) -> str:
        """Send `text` to `to` (E.164) and return the provider's message id. Raises SmsFailed."""
        ...


class Twilio:
    """Twilio's Messages resource: POST /2010-04-01/Accounts/{sid}/Messages.json with basic authentication."""

    def __init__(self, *, base: str, sid: str, token: str, sender: str) -> None:
        self._url = f"{base.rstrip('/')}/2010-04-01/Accounts/{sid}/Messages.json"
        self._auth = (sid, token)
        self._sender = sender

    async def send(self, *, to: str, text: str) -> str:
        """See Provider."""
        try:
            async with httpx2.AsyncClient(timeout=SECONDS, follow_redirects=False) as client:
                answer = await client.post(self._url, data={"To": to, "From": self._sender, "Body": text}, auth=self._auth)
        except httpx2.HTTPError as error:
            raise SmsFailed(f"Twilio cannot be reached: {type(error).__name__}", final=False) from error
        if answer.status_code == 201:
            return str(answer.json()["sid"])
        # 429 and 5xx are temporary; every other error (invalid number, invalid token) is final.
        final = answer.status_code < 500 and answer.status_code != 429
        raise SmsFailed(f"Twilio answered {answer.status_code}: {answer.text[:200]}", final=final)


def provider(settings: Settings) -> Provider | None:
    """Return the configured provider, or None."""
    if settings.twilio_account_sid and settings.twilio_auth_token:
        return Twilio(
            base=settings.twilio_api_base,
            sid=settings.twilio_account_sid,
            token=settings.twilio_auth_token,
            sender=settings.sms_from,
        )
    return None
