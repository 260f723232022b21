"""What must not be let in: tokens that are not for us, not fresh, not signed by the provider; and keys that change."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from tests.accounts.identities.helpers import count, person, walk
from tests.fakes.cognito import PASSWORD
from tests.fakes.oidc import HostedUi, base64url, unsigned
from tests.server import Site
from vetrina.accounts.identities.providers import Providers
from vetrina.clients.oidc import ProviderRefused
from vetrina.core.settings.environment import Settings


@pytest.fixture
def settings(at_cognito: Settings) -> Settings:
    """A site with a provider."""
    return at_cognito


def changed(**claims: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    """Another value (None: none at all) for these claims."""

    def forge(header: dict[str, Any], found: dict[str, Any]) -> None:
        for name, value in claims.items():
            found.pop(name, None)
            if value is not None:
                found[name] = value

    return forge


def by_unknown_key(header: dict[str, Any], claims: dict[str, Any]) -> None:
    header["kid"] = "nobody knows it"


def now() -> int:
    return int(time.time())


FORGERIES: dict[str, Callable[[], Callable[[dict[str, Any], dict[str, Any]], None]]] = {
    "another audience": lambda: changed(aud="another-client"),
    "no audience": lambda: changed(aud=None),
    "several audiences and no party": lambda: changed(aud=["another-client"], azp=None),
    "another party": lambda: changed(azp="another-client"),
    "another issuer": lambda: changed(iss="https://evil.example"),
    "no issuer": lambda: changed(iss=None),
    "expired": lambda: changed(exp=now() - 61),
    "no end": lambda: changed(exp=None),
    "from the future": lambda: changed(iat=now() + 120),
    "another nonce": lambda: changed(nonce="x" * 43),
    "no nonce": lambda: changed(nonce=None),
    "no subject": lambda: changed(sub=None),
    "an empty subject": lambda: changed(sub=""),
    "a number for a subject": lambda: changed(sub=7),
    "a subject too long": lambda: changed(sub="x" * 256),
    "an access token": lambda: changed(token_use="access"),
    "an unknown key": lambda: by_unknown_key,
}


def by_shared_secret(hosted: HostedUi, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(hosted.pool.client_secret))


def by_public_key(hosted: HostedUi, claims: dict[str, Any]) -> str:
    """The old trick: the public key, which everybody has, as the secret of an HMAC."""
    public = hosted.pool.key()
    signed = unsigned(claims, alg="HS256", kid="dummy").rstrip(".")
    return f"{signed}.{base64url(hmac.digest(public.as_pem(private=False), signed.encode(), hashlib.sha256))}"


def by_another_key(hosted: HostedUi, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": "dummy"}, claims, RSAKey.generate_key(2048))


SIGNATURES: dict[str, Callable[[HostedUi, dict[str, Any]], str]] = {
    "alg none": lambda hosted, claims: unsigned(claims, alg="none"),
    "alg none, with the key's name": lambda hosted, claims: unsigned(claims, alg="none", kid="dummy"),
    "by the client's secret": by_shared_secret,
    "by the public key as a secret": by_public_key,
    "by another key of that name": by_another_key,
    "not a token": lambda hosted, claims: "x.y.z",
}


THE_WHOLE_WAY = {
    "another audience", "another issuer", "expired", "another nonce", "an unknown key", "alg none", "by another key of that name",
}  # fmt: skip
"""What is also brought by a browser; the others are looked at where tokens are checked."""


async def test_tokens_that_do_not_hold_are_refused(site: Site, hosted: HostedUi, browser: httpx2.AsyncClient) -> None:
    ada = person(hosted)
    client = site.services.get(Providers).get("cognito").client
    true = hosted.pool.id_token(ada, PASSWORD) or ""
    assert (await client.check(hosted.signed(true, "a nonce"), nonce="a nonce")).email == f"{ada}@example.com"

    async def refused(what: str) -> None:
        with pytest.raises(ProviderRefused):
            await client.check(hosted.signed(true, "a nonce"), nonce="a nonce")
        if what not in THE_WHOLE_WAY:
            return
        before = hosted.token_requests
        answer = await walk(browser, ada)
        assert answer.status_code == 401 and "did not sign you in" in answer.text, f"{what}: {answer.status_code}"
        assert not any(item.startswith("vetrina_session") for item in answer.headers.get_list("set-cookie")), what
        assert hosted.token_requests == before + 1, what

    for what, forgery in FORGERIES.items():
        hosted.forge = forgery()
        await refused(what)
    for what, signed in SIGNATURES.items():
        hosted.raw = partial(signed, hosted)
        await refused(what)
    assert {*FORGERIES, *SIGNATURES} >= THE_WHOLE_WAY
    for table in ("accounts", "identities", "sessions", "spent_nonces"):
        assert await count(site, f"accounts.{table}") == 0
    hosted.forge = hosted.raw = None
    assert (await walk(browser, ada)).status_code == 303


def aged(site: Site, seconds: float) -> None:
    """Let the keys that the site knows grow older."""
    client = site.services.get(Providers).get("cognito").client
    assert client._keys is not None  # pyright: ignore[reportPrivateUsage]
    client._keys = (client._keys[0], client._keys[1] - seconds)  # pyright: ignore[reportPrivateUsage]


async def test_keys_are_changed_and_withdrawn(site: Site, hosted: HostedUi, browser: httpx2.AsyncClient) -> None:
    ada = person(hosted)
    old, new = (RSAKey.generate_key(2048, auto_kid=True) for _ in range(2))
    hosted.own_keys = [old]
    assert (await walk(browser, ada)).status_code == 303 and hosted.key_requests == 1
    assert (await walk(browser, ada)).status_code == 303 and hosted.key_requests == 1  # remembered
    hosted.own_keys = [old, new]  # it signs with the new one now
    assert (await walk(browser, ada)).status_code == 401 and hosted.key_requests == 1  # asked a moment ago
    aged(site, 21)
    assert (await walk(browser, ada)).status_code == 303 and hosted.key_requests == 2
    hosted.forge = by_unknown_key
    for _ in range(3):  # forged ones cannot make us ask all the time
        assert (await walk(browser, ada)).status_code == 401
    assert hosted.key_requests == 2
    hosted.forge, hosted.own_keys = None, [new, old]  # the old one again
    assert (await walk(browser, ada)).status_code == 303
    hosted.own_keys = [new]
    hosted.raw = lambda claims: jwt.encode({"alg": "RS256", "kid": str(old.kid)}, claims, old)
    assert (await walk(browser, ada)).status_code == 303  # as long as it is believed
    aged(site, 3601)
    assert (await walk(browser, ada)).status_code == 401  # withdrawn
