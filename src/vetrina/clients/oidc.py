"""An OpenID Connect provider: authorization code with PKCE, state and nonce; ID tokens checked against its published keys.

Source: OpenID Connect Core 1.0 and Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (issuer in the answer). Amazon Cognito is one:
its issuer is that of the user pool, its endpoints stand in the pool's discovery document.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time
from typing import Any, TypeVar, cast
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx2
import msgspec
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, KeySet, OctKey

from vetrina.clients.tls import certificates

Read = TypeVar("Read")

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Accepted signatures: asymmetric ones only, never `none` or those by a shared secret."""
DISCOVERY_SECONDS = 24 * 3600.0
KEYS_SECONDS = 3600.0
"""How long keys are cached; a withdrawn one is refused after that."""
KEYS_PAUSE = 20.0
"""Minimum seconds between two fetches for unknown keys, so that forged tokens cannot cause a fetch each."""
LEEWAY = 60
"""Tolerance for the provider's clock, in seconds."""
LIMIT = 256 * 1024
"""Maximum bytes of a response."""


class ProviderAway(Exception):
    """The provider did not respond in time, or not as specified."""


class ProviderRefused(Exception):
    """The code was refused or the token is invalid; the message is for the log."""


class Identified(msgspec.Struct, frozen=True):
    """A user's identity at the provider. `email` only if the provider has verified it."""

    issuer: str
    subject: str
    email: str | None
    name: str | None


class Metadata(msgspec.Struct, frozen=True):
    """The used fields of the discovery document."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    id_token_signing_alg_values_supported: list[str] = msgspec.field(default_factory=lambda: ["RS256"])
    token_endpoint_auth_methods_supported: list[str] = msgspec.field(default_factory=lambda: ["client_secret_basic"])
    authorization_response_iss_parameter_supported: bool = False
    userinfo_endpoint: str | None = None


class _Tokens(msgspec.Struct):
    id_token: str
    access_token: str | None = None


class _Keys(msgspec.Struct):
    keys: list[dict[str, Any]]


class OpenIdProvider:
    """One client at one provider. Raises ProviderAway and ProviderRefused."""

    def __init__(
        self, issuer: str, client_id: str, client_secret: str = "", *, discovery_url: str = "", timeout: float = 10.0
    ) -> None:
        self.issuer = issuer
        self._client_id = client_id
        self._secret = client_secret
        self._discovery_url = discovery_url or f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        self._timeout = timeout
        self._turn = asyncio.Lock()
        self._metadata: tuple[Metadata, float] | None = None
        self._keys: tuple[KeySet, float] | None = None

    async def metadata(self) -> Metadata:
        """Return the discovery document, cached for a day."""
        async with self._turn:
            if self._metadata is None or time.monotonic() - self._metadata[1] > DISCOVERY_SECONDS:
                published = _read(await self._get(self._discovery_url), Metadata)
                if published.issuer != self.issuer:
                    raise ProviderAway(f"the discovery document is of {published.issuer!r}")
                for url in (published.authorization_endpoint, published.token_endpoint, published.jwks_uri):
                    _check_address(url)
                self._metadata = (published, time.monotonic())
            return self._metadata[0]

    async def authorization_url(self, *, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Return the provider's sign-in page. `verifier` has 43 to 128 characters and is kept until the code arrives."""
        metadata = await self.metadata()
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid email profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        joint = "&" if urlsplit(metadata.authorization_endpoint).query else "?"
        return f"{metadata.authorization_endpoint}{joint}{urlencode(query)}"

    async def identify(self, *, code: str, redirect_uri: str, nonce: str, verifier: str, issuer: str | None = None) -> Identified:
        """Exchange the code for an identity. `issuer` is the response's `iss` parameter, if it has one."""
        metadata = await self.metadata()
        if issuer != metadata.issuer and (issuer is not None or metadata.authorization_response_iss_parameter_supported):
            raise ProviderRefused(f"the answer came from {issuer!r}")
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
        basic = None
        if self._secret and "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            basic = httpx2.BasicAuth(quote_plus(self._client_id), quote_plus(self._secret))
        else:
            form |= {"client_id": self._client_id} | ({"client_secret": self._secret} if self._secret else {})
        response = await self._send("POST", metadata.token_endpoint, data=form, auth=basic)
        if response.status_code in {400, 401, 403}:
            raise ProviderRefused(f"the code was not taken: {response.text[:200]}")
        tokens = _read(response, _Tokens)
        identity = await self.check(tokens.id_token, nonce=nonce)
        if (identity.email and identity.name) or not metadata.userinfo_endpoint or not tokens.access_token:
            return identity
        return await self._completed(identity, metadata.userinfo_endpoint, tokens.access_token)

    async def _completed(self, identity: Identified, url: str, access_token: str) -> Identified:
        """Add what the ID token lacks from the UserInfo endpoint (OpenID Connect Core 5.3, 5.4).

        A response that is not 200 leaves the identity as it is. Raises ProviderRefused for another subject (Core 5.3.2).
        """
        _check_address(url)
        response = await self._send("GET", url, authorization=f"Bearer {access_token}")
        if response.status_code != 200:
            return identity
        claims = _read(response, dict[str, Any])
        if claims.get("sub") != identity.subject:
            raise ProviderRefused("the UserInfo response is about another subject")
        return Identified(
            identity.issuer,
            identity.subject,
            identity.email or _verified_email(claims),
            identity.name or _text(claims, "name"),
        )

    async def check(self, id_token: str, *, nonce: str) -> Identified:
        """Return an ID token's identity. Raises ProviderRefused unless issuer, audience, time and nonce are valid."""
        claims = await self._verified(id_token)
        claims_registry = jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self._client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True},
        )
        try:
            claims_registry.validate(claims)
        except JoseError as error:
            raise ProviderRefused(f"the token does not hold: {error}") from error
        if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
            raise ProviderRefused("the token is for another sign-in")
        audience: Any = claims["aud"]
        several = isinstance(audience, list) and len(cast("list[Any]", audience)) > 1
        if claims.get("azp", None if several else self._client_id) != self._client_id:
            raise ProviderRefused("the token was made for another client")
        if claims.get("token_use", "id") != "id":
            raise ProviderRefused("this is no ID token")
        if not 1 <= len(claims["sub"]) <= 255:
            raise ProviderRefused("the subject is empty or too long")
        return Identified(self.issuer, claims["sub"], _verified_email(claims), _text(claims, "name"))

    async def _verified(self, id_token: str) -> dict[str, Any]:
        metadata = await self.metadata()
        algorithms = [item for item in ALGORITHMS if item in metadata.id_token_signing_alg_values_supported]
        keys = await self._key_set(metadata)
        try:
            try:
                return jwt.decode(id_token, keys, algorithms=algorithms).claims
            except InvalidKeyIdError:
                # Signed by a key that is newer than what we know: keys are changed from time to time.
                return jwt.decode(id_token, await self._key_set(metadata, again=True), algorithms=algorithms).claims
        except (JoseError, ValueError) as error:
            raise ProviderRefused(f"the token's signature does not hold: {error}") from error

    async def _key_set(self, metadata: Metadata, *, again: bool = False) -> KeySet:
        async with self._turn:
            age = time.monotonic() - self._keys[1] if self._keys else KEYS_SECONDS + 1
            if self._keys is None or age > KEYS_SECONDS or (again and age > KEYS_PAUSE):
                published = _read(await self._get(metadata.jwks_uri), _Keys)
                self._keys = (_imported(published.keys), time.monotonic())
            return self._keys[0]

    async def _get(self, url: str) -> httpx2.Response:
        _check_address(url)
        response = await self._send("GET", url)
        if response.status_code != 200:
            raise ProviderAway(f"{url} answered {response.status_code}")
        return response

    async def _send(self, method: str, url: str, *, authorization: str = "", **more: Any) -> httpx2.Response:
        headers = {"Accept": "application/json"} | ({"Authorization": authorization} if authorization else {})
        try:
            async with httpx2.AsyncClient(
                verify=certificates(), timeout=self._timeout, trust_env=False, follow_redirects=False
            ) as client:
                response = await client.request(method, url, headers=headers, **more)
        except httpx2.HTTPError as error:
            raise ProviderAway(f"{urlsplit(url).netloc}: {type(error).__name__}") from error
        if len(response.content) > LIMIT or response.status_code >= 500:
            raise ProviderAway(f"{urlsplit(url).netloc}: HTTP {response.status_code}, {len(response.content)} bytes")
        return response


def challenge(verifier: str) -> str:
    """Return PKCE's S256 challenge of a verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _imported(published: list[dict[str, Any]]) -> KeySet:
    """Return the public signature keys; unreadable ones and shared secrets are left out."""
    keys: list[Any] = []
    for item in published:
        try:
            key = JWKRegistry.import_key(item)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if not isinstance(key, OctKey) and item.get("use", "sig") == "sig":
            keys.append(key)
    if not keys:
        raise ProviderAway("it publishes no keys that can be used")
    return KeySet(keys)


def _read(response: httpx2.Response, kind: type[Read]) -> Read:
    try:
        return msgspec.json.decode(response.content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProviderAway(f"{response.url.host}: an answer that is not as specified: {error}") from error


def _check_address(url: str) -> None:
    """Require TLS, except for this machine itself. Raises ProviderAway."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"}):
        raise ProviderAway(f"{url} is not an https address")


def _verified_email(claims: dict[str, Any]) -> str | None:
    """Return the address if the provider has verified it; Cognito sends the flag as a word in some places."""
    return _text(claims, "email") if claims.get("email_verified") in (True, "true") else None


def _text(claims: dict[str, Any], name: str) -> str | None:
    value = claims.get(name)
    return value.strip() or None if isinstance(value, str) else None
