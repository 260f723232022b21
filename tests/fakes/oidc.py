"""The hosted part of an OpenID Connect provider: sign-in page, codes and tokens, in front of a user pool.

moto's Cognito has the pool, the keys and the tokens, but no pages: like Cognito's own domain this adds them, and the nonce.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from html import escape
from typing import Annotated, Any
from urllib.parse import unquote_plus, urlencode

import httpx2
from joserfc import jwt
from joserfc.jwk import RSAKey
from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from tests.fakes import Fake
from tests.fakes.cognito import Cognito

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
Forge = Callable[[dict[str, Any], dict[str, Any]], None]
"""Changes a token's (header, claims) before it is signed."""


class HostedUi(Fake):
    """Serves the users of `pool`. `forge` makes the next tokens invalid; with `own_keys` it publishes and signs with those.

    `token_requests` and `key_requests` are counters; `away` makes it answer 503.
    """

    def __init__(self, pool: Cognito, port: int = 0) -> None:
        self.pool = pool
        self.forge: Forge | None = None
        self.own_keys: list[RSAKey] = []
        self.raw: Callable[[dict[str, Any]], str] | None = None
        """Builds the whole token from the claims."""
        self.away = False
        self.issuer_told: str | None = None
        """`iss` of the authorization response (RFC 9207)."""
        self.used_twice = False
        """Whether a code is accepted repeatedly."""
        self.token_requests = self.key_requests = 0
        self._codes: dict[str, dict[str, str]] = {}
        super().__init__(port)

    @property
    def discovery(self) -> str:
        """Return the address of the discovery document."""
        return f"{self.url}/.well-known/openid-configuration"

    def handlers(self) -> list[Any]:
        """Return the routes: discovery, sign-in page, tokens, keys."""

        @get("/.well-known/openid-configuration", sync_to_thread=True)
        def discovery() -> Response[Any]:
            if self.away:
                return Response(None, status_code=503)
            document: dict[str, Any] = httpx2.get(self.pool.discovery, timeout=10).json()
            if self.own_keys:
                document["jwks_uri"] = f"{self.url}/keys"
            return Response(
                {
                    **document,
                    "authorization_endpoint": f"{self.url}/oauth2/authorize",
                    "token_endpoint": f"{self.url}/oauth2/token",
                    "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                }
            )

        @get("/oauth2/authorize", sync_to_thread=False)
        def page(request: Request[Any, Any, Any]) -> Response[str]:
            query_params = dict(request.query_params)
            fine = (
                query_params["response_type"] == "code"
                and query_params["code_challenge_method"] == "S256"
                and "openid" in query_params["scope"]
            )
            if not fine or query_params["client_id"] != self.pool.client_id:
                return Response("unsupported", status_code=400, media_type="text/plain")
            action = escape(f"/login?{request.url.query}")
            return Response(
                f"<!doctype html><html lang=en><title>People</title><form method=post action='{action}'><label>User "
                "<input name=username></label><label>Password <input name=password type=password></label>"
                "<button>Sign in</button></form>",
                media_type="text/html",
            )

        @post("/login", sync_to_thread=True)
        def login(request: Request[Any, Any, Any], data: Form) -> Response[Any]:
            query_params = dict(request.query_params)
            token = self.pool.id_token(data["username"], data["password"])
            answer = {"state": query_params["state"]}
            if token is None:
                answer["error"] = "access_denied"
            else:
                answer["code"] = secrets.token_urlsafe(16)
                self._codes[answer["code"]] = {**query_params, "token": token}
            if self.issuer_told:
                answer["iss"] = self.issuer_told
            return Redirect(f"{query_params['redirect_uri']}?{urlencode(answer)}", status_code=302)

        @post("/oauth2/token", sync_to_thread=False)
        def token(request: Request[Any, Any, Any], data: Form) -> Response[Any]:
            self.token_requests += 1
            if self.away:
                return Response(None, status_code=503)
            basic = base64.b64decode(request.headers.get("authorization", "").removeprefix("Basic ")).decode()
            if [unquote_plus(part) for part in basic.split(":")] != [self.pool.client_id, self.pool.client_secret]:
                return Response({"error": "invalid_client"}, status_code=401)
            stored = self._codes.get(data["code"]) if self.used_twice else self._codes.pop(data["code"], None)
            if stored is None or stored["redirect_uri"] != data["redirect_uri"]:
                return Response({"error": "invalid_grant"}, status_code=400)
            digest = hashlib.sha256(data["code_verifier"].encode()).digest()
            if base64url(digest) != stored["code_challenge"]:
                return Response({"error": "invalid_grant"}, status_code=400)
            created = self.signed(stored["token"], stored["nonce"])
            return Response(
                {"id_token": created, "access_token": "x", "token_type": "Bearer", "expires_in": 3600}, status_code=200
            )

        @get("/keys", sync_to_thread=False)
        def keys() -> dict[str, Any]:
            self.key_requests += 1
            return {"keys": [key.as_dict(private=False, use="sig", alg="RS256") for key in self.own_keys]}

        return [discovery, page, login, token, keys]

    def signed(self, token: str, nonce: str) -> str:
        """Return the pool's token with the nonce, signed again with the pool's key, which moto ships in its package."""
        claims = {**jwt.decode(token, self.pool.key(), algorithms=["RS256"]).claims, "nonce": nonce}
        key = self.own_keys[-1] if self.own_keys else self.pool.key()
        header = {"alg": "RS256", "kid": str(key.kid) if self.own_keys else "dummy"}
        if self.raw is not None:
            return self.raw(claims)
        if self.forge is not None:
            self.forge(header, claims)
        return jwt.encode(header, claims, key)


def base64url(value: bytes) -> str:
    """Encode as JOSE does."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def unsigned(claims: dict[str, Any], **header: str) -> str:
    """Return an unsigned token."""
    return f"{base64url(json.dumps({'typ': 'JWT', **header}).encode())}.{base64url(json.dumps(claims).encode())}."
