"""Secrets of sessions, and short-lived signed access tokens.

A session's token carries account and session id before its secret, so that finding it is owner-first;
only the secret's SHA-256 is kept (it has 256 random bits: no slow hash is needed).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from uuid import UUID

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from vetrina.core.database.ids import AccountId
from vetrina.core.services import Services
from vetrina.core.web.request import Principal

ACCESS_SECONDS = 900
"""How long an access token is good, also after its session was revoked or its account disabled: it is checked by its
signature alone. What starts a generation (which holds credits) and GET /me refuse it at once."""
SESSION_DAYS = 30


class SessionToken(msgspec.Struct, frozen=True):
    """The parts of a session's token."""

    account_id: UUID
    session_id: UUID
    secret: bytes

    @property
    def hash(self) -> bytes:
        """What the database keeps."""
        return hashlib.sha256(self.secret).digest()

    def text(self) -> str:
        """As it is handed out."""
        return base64.urlsafe_b64encode(self.account_id.bytes + self.session_id.bytes + self.secret).decode()


def new_session(account: UUID, session: UUID) -> SessionToken:
    """A token with a fresh secret."""
    return SessionToken(account, session, secrets.token_bytes(34))


def parse(text: str) -> SessionToken | None:
    """The token, or None for what cannot be one."""
    try:
        raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except ValueError:
        return None
    return SessionToken(UUID(bytes=raw[:16]), UUID(bytes=raw[16:32]), raw[32:]) if len(raw) == 66 else None


class AccessTokens:
    """HS256 tokens of `ACCESS_SECONDS`; verified ones are remembered, since checking costs more than routing."""

    def __init__(self, keys: list[bytes]) -> None:
        self._keys = [OctKey.import_key(hashlib.sha256(b"access" + key).digest()) for key in keys]
        self._known: dict[str, tuple[Principal, float]] = {}

    def issue(self, account: UUID, session: UUID, kind: str) -> str:
        """A token for this session."""
        now = int(time.time())
        claims = {"sub": str(account), "sid": str(session), "kind": kind, "iat": now, "exp": now + ACCESS_SECONDS}
        return jwt.encode({"alg": "HS256"}, claims, self._keys[0])

    def read(self, text: str) -> Principal | None:
        """Whose token it is, or None if it is not ours or has expired."""
        known = self._known.get(text)
        if known is None:
            known = self._verify(text)
            if known is None:
                return None
            if len(self._known) > 20_000:
                self._known.clear()
            self._known[text] = known
        principal, expires = known
        return principal if time.time() < expires else None

    def _verify(self, text: str) -> tuple[Principal, float] | None:
        for key in self._keys:
            try:
                claims = jwt.decode(text, key, algorithms=["HS256"]).claims
                principal = Principal(AccountId(UUID(claims["sub"])), UUID(claims["sid"]), str(claims["kind"]))
                return principal, float(claims["exp"])
            except (JoseError, KeyError, ValueError, TypeError):
                continue
        return None


def access_tokens(services: Services) -> AccessTokens:
    """The process's signer."""
    return AccessTokens(services.keys)
