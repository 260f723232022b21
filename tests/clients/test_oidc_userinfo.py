"""A provider that answers e-mail and name at its UserInfo endpoint only (OpenID Connect Core 5.4, as Authelia does)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from vetrina.clients.oidc import OpenIdProvider, ProviderRefused

KEY = RSAKey.generate_key(2048, {"kid": "1", "use": "sig", "alg": "RS256"})
CLIENT, NONCE = "vetrina", "a nonce"


@contextmanager
def provider(userinfo: dict[str, Any] | int, **claims: Any) -> Iterator[str]:
    """Serve a provider whose ID token has these claims besides the required ones; yields its issuer."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Print nothing."""

        def _answer(self, status: int, body: Any) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self) -> None:
            if self.path.startswith("/.well-known"):
                endpoints = {f"{name}_endpoint": f"{issuer}/{name}" for name in ("authorization", "token", "userinfo")}
                self._answer(200, {"issuer": issuer, "jwks_uri": f"{issuer}/keys", **endpoints})
            elif self.path == "/keys":
                self._answer(200, {"keys": [KEY.as_dict(private=False)]})
            elif self.headers.get("Authorization") != "Bearer an access token":
                self._answer(401, {})
            elif isinstance(userinfo, int):
                self._answer(userinfo, {})
            else:
                self._answer(200, userinfo)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            now = int(time.time())
            required = {"iss": issuer, "aud": CLIENT, "sub": "ada", "iat": now, "exp": now + 60, "nonce": NONCE}
            token = jwt.encode({"alg": "RS256", "kid": "1"}, {**required, **claims}, KEY)
            self._answer(200, {"id_token": token, "access_token": "an access token", "token_type": "Bearer"})

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def identified(issuer: str) -> tuple[str | None, str | None]:
    """Exchange a code; the e-mail address and the name."""
    client = OpenIdProvider(issuer, CLIENT, "a secret")
    result = await client.identify(code="c", redirect_uri="http://127.0.0.1/callback", nonce=NONCE, verifier="v" * 43)
    return result.email, result.name


ADA = {"sub": "ada", "email": "ada@example.com", "email_verified": True, "name": "Ada"}


@pytest.mark.parametrize(
    ("userinfo", "claims", "expected"),
    [
        (ADA, {}, ("ada@example.com", "Ada")),
        (ADA, {"name": "Countess"}, ("ada@example.com", "Countess")),
        ({**ADA, "email_verified": False}, {}, (None, "Ada")),
        (403, {"name": "Ada"}, (None, "Ada")),
        ({"sub": "eve"}, {"email": "ada@example.com", "email_verified": True, "name": "Ada"}, ("ada@example.com", "Ada")),
    ],
)
async def test_missing_claims_are_fetched_from_userinfo(
    userinfo: dict[str, Any] | int, claims: dict[str, Any], expected: tuple[str | None, str | None]
) -> None:
    with provider(userinfo, **claims) as issuer:
        assert await identified(issuer) == expected


async def test_userinfo_of_another_subject_is_refused() -> None:
    with provider({**ADA, "sub": "eve"}) as issuer, pytest.raises(ProviderRefused, match="another subject"):
        await identified(issuer)
