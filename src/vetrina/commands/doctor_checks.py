"""The checks of `vetrina doctor`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from uuid import uuid4

import psycopg

from vetrina import modules
from vetrina.accounts.identities import providers
from vetrina.clients.oidc import ProviderAway
from vetrina.core import checks as site_checks
from vetrina.core.checks import Check, Site
from vetrina.core.database.connection import Database
from vetrina.core.database.migrations import pending
from vetrina.core.embedded import AlreadyRunning, EmbeddedError, Lock, embedded, exists, external
from vetrina.core.embedded.binaries import Binaries
from vetrina.core.errors import Refusal
from vetrina.core.settings.environment import KEPT_KEY, BadSetting, Settings, secret_keys, unknown
from vetrina.core.storage.store import Storage, StorageFailure, key_of


async def all_checks(settings: Settings) -> AsyncGenerator[Check]:
    """Yield every check as it completes. Nothing is started or left behind."""
    for check in await asyncio.to_thread(_database, settings):
        yield check
    yield await _storage(settings)
    for check in _engines(settings):
        yield check
    yield await _provider(settings)
    yield _names(settings)
    for check in _site(settings):
        yield check
    for check in await _shared(settings):
        yield check


async def _shared(settings: Settings) -> list[Check]:
    """Return the checks that operators see too; without those of the database where it does not answer."""
    installed = modules.of(settings)
    try:
        if settings.database_url:
            access = external(settings.database_url, settings.data)
        elif exists(settings.data) and _holder(settings):
            access = embedded(settings.data)
        else:
            return await site_checks.run(Site(settings, installed, None))
        if pending(access.owner):
            return await site_checks.run(Site(settings, installed, None))
        db = Database(access.app, size=1, name="vetrina doctor")
        await db.open()
        try:
            async with db.read() as tx:
                return await site_checks.run(Site(settings, installed, tx))
        finally:
            await db.close()
    except (EmbeddedError, psycopg.Error, Refusal):
        return await site_checks.run(Site(settings, installed, None))


def _database(settings: Settings) -> list[Check]:
    try:
        if settings.database_url:
            access, where = external(settings.database_url, settings.data), "your own"
        elif not exists(settings.data):
            version = Binaries.find().version
            return [Check("PostgreSQL", "warning", f"embedded {version}: no database yet; `vetrina up` makes one")]
        elif not (holder := _holder(settings)):
            version = Binaries.find().version
            return [Check("PostgreSQL", "warning", f"embedded {version}: not running; `vetrina up` starts it")]
        else:
            access, where = embedded(settings.data), f"embedded, kept by process {holder}"
        with psycopg.connect(access.owner, connect_timeout=10) as connection:
            version = connection.info.parameter_status("server_version")
        checks = [Check("PostgreSQL", "ok", f"{version}, {where}")]
        if access.note:
            checks.append(Check("roles", "warning", access.note))
        else:
            checks.append(Check("roles", "ok", "vetrina_app runs, vetrina_reporting reads"))
        missing = pending(access.owner)
        state = f"pending: {', '.join(missing)}; `vetrina migrate` applies them" if missing else "all applied"
        return [*checks, Check("migrations", "warning" if missing else "ok", state)]
    except (EmbeddedError, psycopg.Error) as error:
        return [Check("PostgreSQL", "failure", str(error).strip())]


def _holder(settings: Settings) -> int:
    """Return the pid of the Vetrina running on the data folder; 0 if there is none, -1 if unknown."""
    lock = Lock(settings.data)
    try:
        lock.acquire()
    except AlreadyRunning as running:
        return running.pid or -1
    lock.release()
    return 0


async def _storage(settings: Settings) -> Check:
    where = settings.storage_url or str(settings.data / "files")
    if not settings.storage_url and not settings.data.exists():
        return Check("storage", "ok", f"{where} will be made")
    try:
        storage = Storage.at(settings.storage_url, settings.data / "files")
        key, sent = key_of(uuid4(), uuid4(), "doctor"), b"written by vetrina doctor"
        await storage.put(key, sent, "text/plain")
        same = await storage.get(key) == sent
        await storage.delete([key])
    except (StorageFailure, OSError, ValueError) as error:
        return Check("storage", "failure", f"{where}: {error}")
    except Exception as error:  # obstore has its own errors for addresses and credentials
        return Check("storage", "failure", f"{where}: {type(error).__name__}: {error}")
    return Check("storage", "ok" if same else "failure", f"{where}: written, read back, deleted")


def _engines(settings: Settings) -> list[Check]:
    there = settings.openai_api_key or settings.openai_base_url
    openai = f"set up, model {settings.openai_image_model}" if there else "not set up (OPENAI_API_KEY, OPENAI_BASE_URL)"
    comfyui = f"set up, {settings.comfyui_url}" if settings.comfyui_url else "not set up (COMFYUI_URL)"
    return [
        Check("engine builtin", "ok", "always there"),
        Check("engine openai", "ok", openai),
        Check("engine comfyui", "ok", comfyui),
    ]


async def _provider(settings: Settings) -> Check:
    """Check that the identity provider answers with a valid discovery document."""
    provider = providers.configured(settings)
    if provider is None:
        if settings.oidc_issuer or settings.oidc_client_id:
            return Check("identity provider", "failure", "VETRINA_OIDC_ISSUER and VETRINA_OIDC_CLIENT_ID need each other")
        return Check("identity provider", "ok", "not set up (VETRINA_OIDC_ISSUER, VETRINA_OIDC_CLIENT_ID)")
    callback = f"{settings.address}/auth/providers/{provider.name}/callback"
    try:
        await provider.client.metadata()
    except ProviderAway as error:
        return Check("identity provider", "warning", f"{provider.title} cannot be used: {error}")
    return Check("identity provider", "ok", f"{provider.title}, {settings.oidc_issuer}; it sends people back to {callback}")


def _names(settings: Settings) -> Check:
    """Check the name servers for domain verification."""
    return Check("name servers", "ok", settings.dns_servers or "the system's")


def _site(settings: Settings) -> list[Check]:
    checks: list[Check] = []
    if names := unknown():
        checks.append(Check("settings", "warning", f"not settings of Vetrina, and without effect: {', '.join(names)}"))
    key_file = settings.data / KEPT_KEY
    if settings.secret_key or key_file.exists():
        try:
            secret_keys(settings)
            checks.append(Check("secret key", "ok", "set" if settings.secret_key else f"kept in {key_file}"))
        except BadSetting as error:
            checks.append(Check("secret key", "failure", str(error)))
    else:
        checks.append(Check("secret key", "ok", f"will be made in {key_file}"))
    if settings.host not in {"127.0.0.1", "::1", "localhost"} and not settings.secure:
        checks.append(
            Check("TLS", "warning", f"listens on {settings.host}, and VETRINA_PUBLIC_URL is not https; use a TLS proxy")
        )
    if settings.secure and settings.development:
        warning = "details of errors are shown; VETRINA_DEVELOPMENT=off on a public site"
        checks.append(Check("development", "warning", warning))
    return checks
