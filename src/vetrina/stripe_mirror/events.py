"""Stripe's webhook format: signatures of raw bytes, envelopes, characters that PostgreSQL cannot store."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import msgspec

from vetrina.stripe_mirror.model import Envelope, Event, InvalidEvent, InvalidSignature, ThinEnvelope, ThinEvent

TOLERANCE = 300
"""The largest age of a signature in seconds, in the past or the future."""
_DECODER = msgspec.json.Decoder(Envelope)
_THIN_DECODER = msgspec.json.Decoder(ThinEnvelope)


def sign(body: bytes, secret: str, at: int) -> str:
    """Return the Stripe-Signature header for `body` at the Unix time `at`."""
    return f"t={at},v1={_mac(body, secret, str(at))}"


def verify(body: bytes, header: str, secrets: list[str], now: float) -> None:
    """Raise InvalidSignature (400) unless one of `secrets` signed exactly these bytes within 300 s of `now`."""
    at, signatures = "", list[str]()
    for part in header[:4096].split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            at = value
        elif name == "v1":
            signatures.append(value)
    if not (at.isascii() and at.isdigit() and len(at) <= 12) or abs(now - int(at)) > TOLERANCE:
        raise InvalidSignature
    expected = [_mac(body, secret, at).encode() for secret in secrets]
    if not any(hmac.compare_digest(mac, item.encode()) for mac in expected for item in signatures[:8]):
        raise InvalidSignature


def read(body: bytes) -> Event:
    """Parse an event. Raises InvalidEvent (400), ThinEvent (400) for an event without its object."""
    try:
        if b"\\u0000" not in body and b"\\ud" not in body and b"\\uD" not in body:
            return Event(_DECODER.decode(body).id, body.decode())
        document = json.loads(body)
        cleaned = storable(document)
        text = json.dumps(cleaned)
        return Event(_DECODER.decode(text).id, text, body if cleaned != document else None)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        if (event_type := thin_type(body)) is not None:
            raise ThinEvent(event_type=event_type) from error
        raise InvalidEvent from error


def thin_type(body: bytes) -> str | None:
    """Return the type of a thin event, and None for anything else."""
    try:
        return _THIN_DECODER.decode(body).type
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def storable(value: Any) -> Any:
    """Replace characters that jsonb cannot store (NUL, unpaired surrogates) with U+FFFD."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [storable(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return value


def _mac(body: bytes, secret: str, at: str) -> str:
    return hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
