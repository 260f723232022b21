"""The identity providers that are set up, and sign-ins that are under way at one of them.

What a sign-in needs when the person comes back (state, nonce, PKCE verifier) travels sealed: in a cookie of the browser
that began, or in the hands of the program that did. Nothing is written until somebody comes back.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
import structlog

from vetrina.accounts.identities.model import (
    InvalidReturnAddress,
    ProviderUnavailable,
    ProviderUnknown,
    SignInExpired,
    SignInFailed,
)
from vetrina.accounts.verification.actions import Kind
from vetrina.clients.oidc import Identified, OpenIdProvider, ProviderAway, ProviderRefused
from vetrina.core.encryption import Broken, seal, unseal
from vetrina.core.services import Services
from vetrina.core.settings import Settings

log = structlog.get_logger("vetrina.accounts")

MINUTES = 10
"""How long a person may take at the provider."""


class Provider(msgspec.Struct, frozen=True):
    """A provider that is set up. `name` stands in addresses, `title` is what people read."""

    name: str
    title: str
    client: OpenIdProvider


class Begun(msgspec.Struct, frozen=True):
    """A sign-in under way, or (with `link_to`) a link to that account from that session."""

    provider: str
    kind: Kind
    state: str
    nonce: str
    verifier: str
    redirect_uri: str
    began_at: int
    onward: str = ""
    link_to: tuple[UUID, UUID] | None = None


class Answer(msgspec.Struct, frozen=True):
    """What the provider sent the person back with."""

    code: str | None = None
    state: str | None = None
    error: str | None = None
    iss: str | None = None


class Providers:
    """The process's providers."""

    def __init__(self, services: Services) -> None:
        self._services = services
        one = configured(services.settings)
        self._known = {one.name: one} if one else {}

    def offered(self) -> list[Provider]:
        """Those that people can choose from."""
        return list(self._known.values())

    def get(self, name: str) -> Provider:
        """One by its name. Raises ProviderUnknown (404)."""
        if name not in self._known:
            raise ProviderUnknown
        return self._known[name]

    async def begin(
        self,
        name: str,
        *,
        kind: Kind,
        onward: str = "",
        redirect_uri: str | None = None,
        link_to: tuple[UUID, UUID] | None = None,
    ) -> tuple[str, str]:
        """Where the person signs in, and the sealed rest for `finish`.

        `redirect_uri` is a program's own on this machine (RFC 8252); otherwise our callback page. `link_to` is an account
        and its session. Raises ProviderUnknown (404), InvalidReturnAddress (422), ProviderUnavailable (503).
        """
        provider = self.get(name)
        if redirect_uri is not None and not _on_loopback(redirect_uri):
            raise InvalidReturnAddress
        begun = Begun(
            provider=name,
            kind=kind,
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            redirect_uri=redirect_uri or f"{self._services.settings.address}/auth/providers/{name}/callback",
            began_at=int(time.time()),
            onward=onward,
            link_to=link_to,
        )
        try:
            url = await provider.client.authorization_url(
                redirect_uri=begun.redirect_uri, state=begun.state, nonce=begun.nonce, verifier=begun.verifier
            )
        except ProviderAway as error:
            log.warning("an identity provider cannot be used", provider=name, error=str(error))
            raise ProviderUnavailable from error
        return url, seal(self._services.keys, begun)

    def opened(self, name: str, sealed: str | None) -> Begun:
        """What `begin` sealed for this provider. Raises SignInExpired (400) when it is not there, not ours or too old."""
        self.get(name)
        try:
            begun = unseal(self._services.keys, sealed or "", Begun)
        except Broken:
            raise SignInExpired from None
        if begun.provider != name or not 0 <= time.time() - begun.began_at <= MINUTES * 60:
            raise SignInExpired
        return begun

    async def finish(self, begun: Begun, answer: Answer) -> Identified:
        """Who came back. The nonce is still to be spent, in the transaction that lets them in.

        Raises SignInExpired (400) for another sign-in's answer, SignInFailed (401), ProviderUnavailable (503).
        """
        provider = self.get(begun.provider)
        if not hmac.compare_digest((answer.state or "").encode(), begun.state.encode()):
            raise SignInExpired
        if answer.error or not answer.code:
            log.info("a provider sent somebody back", provider=begun.provider, error=(answer.error or "")[:100])
            raise SignInFailed
        try:
            return await provider.client.identify(
                code=answer.code, redirect_uri=begun.redirect_uri, nonce=begun.nonce, verifier=begun.verifier, issuer=answer.iss
            )
        except ProviderRefused as error:
            log.warning("a provider's answer was refused", provider=begun.provider, error=str(error))
            raise SignInFailed from error
        except ProviderAway as error:
            log.warning("an identity provider cannot be used", provider=begun.provider, error=str(error))
            raise ProviderUnavailable from error


def providers(services: Services) -> Providers:
    """The process's providers."""
    return Providers(services)


def configured(settings: Settings) -> Provider | None:
    """The provider that the settings name, or None."""
    if not settings.oidc_issuer or not settings.oidc_client_id:
        return None
    client = OpenIdProvider(
        settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret, discovery_url=settings.oidc_discovery
    )
    name = re.sub(r"[^a-z0-9]+", "-", settings.oidc_name.lower()).strip("-")
    return Provider(name or "provider", settings.oidc_name, client)


def _on_loopback(address: str) -> bool:
    """Whether only programs of the person's own machine can read what is sent there."""
    try:
        parts = urlsplit(address)
        return (
            parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1"} and bool(parts.port)
            and not parts.username and not parts.fragment and len(address) <= 300
        )  # fmt: skip
    except ValueError:
        return False
