"""What Stripe sends: signatures over raw bytes, envelopes, characters that PostgreSQL does not keep."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import msgspec

from vetrina.stripe_mirror.model import BadEvent, BadSignature, Envelope, Event, ThinEnvelope, ThinEvent

TOLERANCE = 300
"""Seconds that a signature may lie in the past or in the future."""
_DECODER = msgspec.json.Decoder(Envelope)
_THIN_DECODER = msgspec.json.Decoder(ThinEnvelope)


def sign(body: bytes, secret: str, at: int) -> str:
    """The Stripe-Signature header for `body` at `at` (seconds)."""
    return f"t={at},v1={_mac(body, secret, str(at))}"


def verify(body: bytes, header: str, secrets: list[str], now: float) -> None:
    """Raises BadSignature (400) unless one of `secrets` signed these very bytes within 300 s of `now`."""
    at, given = "", list[str]()
    for part in header[:4096].split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            at = value
        elif name == "v1":
            given.append(value)
    if not (at.isascii() and at.isdigit() and len(at) <= 12) or abs(now - int(at)) > TOLERANCE:
        raise BadSignature
    wanted = [_mac(body, secret, at).encode() for secret in secrets]
    if not any(hmac.compare_digest(mac, each.encode()) for mac in wanted for each in given[:8]):
        raise BadSignature


def read(body: bytes) -> Event:
    """The event in these bytes. Raises BadEvent (400) for what is none, ThinEvent (400) for one without its object."""
    try:
        if b"\\u0000" not in body and b"\\ud" not in body and b"\\uD" not in body:
            return Event(_DECODER.decode(body).id, body.decode())
        whole = json.loads(body)
        kept = keepable(whole)
        text = json.dumps(kept)
        return Event(_DECODER.decode(text).id, text, body if kept != whole else None)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        if (thin := thin_type(body)) is not None:
            raise ThinEvent(event_type=thin) from error
        raise BadEvent from error


def thin_type(body: bytes) -> str | None:
    """Return the type of a thin event, and None for anything else."""
    try:
        return _THIN_DECODER.decode(body).type
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def keepable(value: Any) -> Any:
    """The same JSON with U+FFFD for what jsonb cannot hold: the zero character and halves of surrogate pairs."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [keepable(each) for each in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        return {keepable(key): keepable(each) for key, each in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return value


def _mac(body: bytes, secret: str, at: str) -> str:
    return hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
