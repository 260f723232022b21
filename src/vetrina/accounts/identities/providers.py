"""The configured identity providers, and authorizations that are pending at one of them.

State, nonce and PKCE verifier of an authorization are sealed and kept by the client that started it, in a cookie or by the
program. Nothing is stored until the provider redirects back.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from typing import Self
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
from vetrina.accounts.model import Kind
from vetrina.clients.oidc import Identified, OpenIdProvider, ProviderAway, ProviderRefused
from vetrina.core.encryption import Broken, seal, unseal
from vetrina.core.services import Services
from vetrina.core.settings.environment import Settings

log = structlog.get_logger("vetrina.accounts")

MINUTES = 10
"""Minutes until an authorization expires."""


class Provider(msgspec.Struct, frozen=True):
    """A configured provider. `name` is its part of URLs, `title` its label."""

    name: str
    title: str
    client: OpenIdProvider


class PendingAuthorization(msgspec.Struct, frozen=True):
    """A pending sign-in, or (with `link_to`: account and session) a pending link."""

    provider: str
    kind: Kind
    state: str
    nonce: str
    verifier: str
    redirect_uri: str
    began_at: int
    onward: str = ""
    link_to: tuple[UUID, UUID] | None = None


class AuthorizationResponse(msgspec.Struct, frozen=True):
    """The parameters that the provider redirected back with (RFC 6749 4.1.2, RFC 9207)."""

    code: str | None = None
    state: str | None = None
    error: str | None = None
    iss: str | None = None


class Providers:
    """The process's providers."""

    def __init__(self, services: Services) -> None:
        self._services = services
        provider = configured(services.settings)
        self._by_name = {provider.name: provider} if provider else {}

    @classmethod
    def provide(cls, services: Services) -> Self:
        """Return the providers that the settings name."""
        return cls(services)

    def offered(self) -> list[Provider]:
        """Return the providers to choose from."""
        return list(self._by_name.values())

    def get(self, name: str) -> Provider:
        """Return a provider by its name. Raises ProviderUnknown (404)."""
        if name not in self._by_name:
            raise ProviderUnknown
        return self._by_name[name]

    async def begin(
        self,
        name: str,
        *,
        kind: Kind,
        onward: str = "",
        redirect_uri: str | None = None,
        link_to: tuple[UUID, UUID] | None = None,
    ) -> tuple[str, str]:
        """Return the authorization URL, and the sealed state that `finish` needs.

        `redirect_uri` is a program's own on the loopback interface (RFC 8252), by default our callback page. `link_to` is
        an account and its session. Raises ProviderUnknown (404), InvalidReturnAddress (422), ProviderUnavailable (503).
        """
        provider = self.get(name)
        if redirect_uri is not None and not _on_loopback(redirect_uri):
            raise InvalidReturnAddress
        pending = PendingAuthorization(
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
                redirect_uri=pending.redirect_uri, state=pending.state, nonce=pending.nonce, verifier=pending.verifier
            )
        except ProviderAway as error:
            log.warning("an identity provider cannot be used", provider=name, error=str(error))
            raise ProviderUnavailable from error
        return url, seal(self._services.keys, pending)

    def unsealed(self, name: str, sealed: str | None) -> PendingAuthorization:
        """Return what `begin` sealed for this provider. Raises SignInExpired (400) for a missing, forged or expired one."""
        self.get(name)
        try:
            pending = unseal(self._services.keys, sealed or "", PendingAuthorization)
        except Broken:
            raise SignInExpired from None
        if pending.provider != name or not 0 <= time.time() - pending.began_at <= MINUTES * 60:
            raise SignInExpired
        return pending

    async def finish(self, pending: PendingAuthorization, response: AuthorizationResponse) -> Identified:
        """Return the identity in a response. The caller spends the nonce in the transaction that signs in.

        Raises SignInExpired (400) for the response to another authorization, SignInFailed (401), ProviderUnavailable (503).
        """
        provider = self.get(pending.provider)
        if not hmac.compare_digest((response.state or "").encode(), pending.state.encode()):
            raise SignInExpired
        if response.error or not response.code:
            log.info("a provider returned an error", provider=pending.provider, error=(response.error or "")[:100])
            raise SignInFailed
        try:
            return await provider.client.identify(
                code=response.code,
                redirect_uri=pending.redirect_uri,
                nonce=pending.nonce,
                verifier=pending.verifier,
                issuer=response.iss,
            )
        except ProviderRefused as error:
            log.warning("a provider's response was refused", provider=pending.provider, error=str(error))
            raise SignInFailed from error
        except ProviderAway as error:
            log.warning("an identity provider cannot be used", provider=pending.provider, error=str(error))
            raise ProviderUnavailable from error


def configured(settings: Settings) -> Provider | None:
    """Return the provider that the settings name, or None."""
    if not settings.oidc_issuer or not settings.oidc_client_id:
        return None
    client = OpenIdProvider(
        settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret, discovery_url=settings.oidc_discovery
    )
    name = re.sub(r"[^a-z0-9]+", "-", settings.oidc_name.lower()).strip("-")
    return Provider(name or "provider", settings.oidc_name, client)


def _on_loopback(address: str) -> bool:
    """Return whether the address is on the loopback interface of the user's machine."""
    try:
        parts = urlsplit(address)
        return (
            parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1"} and bool(parts.port)
            and not parts.username and not parts.fragment and len(address) <= 300
        )  # fmt: skip
    except ValueError:
        return False
