"""Session tokens, and short-lived signed access tokens.

A session's token is account id, session id and secret, so that its row is read by its primary key. Only the SHA-256 of the
secret is stored: it has 272 random bits, so no slow hash is needed.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from typing import Self
from uuid import UUID

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from vetrina.core.database.ids import AccountId
from vetrina.core.services import Services
from vetrina.core.web.request import Principal

ACCESS_SECONDS = 900
"""Lifetime of an access token, which is checked by its signature and the process's list of revoked sessions. Requests that
hold credits or show personal data also check the session in the database."""
SESSION_DAYS = 30


class SessionToken(msgspec.Struct, frozen=True):
    """The parts of a session's token."""

    account_id: UUID
    session_id: UUID
    secret: bytes

    @property
    def hash(self) -> bytes:
        """The digest that the database stores."""
        return hashlib.sha256(self.secret).digest()

    def text(self) -> str:
        """Return the token as it is given to the client."""
        return base64.urlsafe_b64encode(self.account_id.bytes + self.session_id.bytes + self.secret).decode()


def new_token(account: UUID, session: UUID) -> SessionToken:
    """Return a token with a new secret."""
    return SessionToken(account, session, secrets.token_bytes(34))


def parse(text: str) -> SessionToken | None:
    """Return the token, or None for text that is not one."""
    try:
        raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except ValueError:
        return None
    return SessionToken(UUID(bytes=raw[:16]), UUID(bytes=raw[16:32]), raw[32:]) if len(raw) == 66 else None


class AccessTokens:
    """Issues and verifies HS256 tokens of `ACCESS_SECONDS`. Verified ones are cached: verifying costs more than routing."""

    def __init__(self, keys: list[bytes]) -> None:
        self._keys = [OctKey.import_key(hashlib.sha256(b"access" + key).digest()) for key in keys]
        self._verified: dict[str, tuple[Principal, float]] = {}

    @classmethod
    def provide(cls, services: Services) -> Self:
        """Return the signer."""
        return cls(services.keys)

    def issue(self, account: UUID, session: UUID, kind: str) -> str:
        """Return a token of this session."""
        now = int(time.time())
        claims = {"sub": str(account), "sid": str(session), "kind": kind, "iat": now, "exp": now + ACCESS_SECONDS}
        return jwt.encode({"alg": "HS256"}, claims, self._keys[0])

    def read(self, text: str) -> Principal | None:
        """Return the principal of a token, or None for one that is forged or has expired."""
        entry = self._verified.get(text)
        if entry is None:
            entry = self._verify(text)
            if entry is None:
                return None
            if len(self._verified) > 20_000:
                self._verified.clear()
            self._verified[text] = entry
        principal, expires = entry
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
