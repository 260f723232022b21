"""Settings: read once from the environment, documented where they are declared.

`vetrina doctor` prints this table, so a setting that is not described here does not exist.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


class BadSetting(ValueError):
    """A setting in the environment cannot be used; the message names it and says why."""


def _setting(variable: str, default: Any, about: str, *, secret: bool = False, minimum: int | None = None) -> Any:
    return field(
        default=default,
        metadata={"variable": variable, "about": about, "secret": secret, "minimum": minimum},
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that an operator may set. Empty values count as not set."""

    data: Path = _setting("VETRINA_DATA", Path(".vetrina"), "The data folder: database, files, secrets.")
    host: str = _setting("VETRINA_HOST", "127.0.0.1", "Address to listen on; put a TLS proxy before any other.")
    port: int = _setting("VETRINA_PORT", 8000, "Port of the web site.", minimum=0)
    public_url: str = _setting("VETRINA_PUBLIC_URL", "", "The site's address as people see it; https turns on Secure cookies.")
    trusted_proxies: str = _setting(
        "VETRINA_TRUSTED_PROXIES", "", "Addresses (comma-separated) whose X-Forwarded-For and -Proto are believed; * for any."
    )
    connections_per_address: int = _setting(
        "VETRINA_CONNECTIONS_PER_ADDRESS",
        256,
        "Connections that one address may hold open to one web process; 0 for any number. Trusted proxies are not counted.",
        minimum=0,
    )
    metrics_token: str = _setting(
        "VETRINA_METRICS_TOKEN", "", "The bearer token that opens /metrics; without one, only this machine reads it.", secret=True
    )
    database_url: str = _setting(
        "VETRINA_DATABASE_URL", "", "An own PostgreSQL 15 or newer, in place of the embedded one.", secret=True
    )
    storage_url: str = _setting("VETRINA_STORAGE_URL", "", "s3://, gs:// or az:// for files; otherwise the data folder.")
    secret_key: str = _setting(
        "VETRINA_SECRET_KEY", "", "Signs tokens and links; made and kept in the data folder if not set.", secret=True
    )
    web_processes: int = _setting("VETRINA_WEB_PROCESSES", 2, "Web processes of `vetrina up`.", minimum=1)
    worker_processes: int = _setting("VETRINA_WORKER_PROCESSES", 1, "Worker processes of `vetrina up`.", minimum=0)
    worker_concurrency: int = _setting("VETRINA_WORKER_CONCURRENCY", 4, "Pictures that one worker makes at once.", minimum=1)
    builtin_concurrency: int = _setting(
        "VETRINA_BUILTIN_CONCURRENCY", 2, "Pictures that one worker's built-in engine makes at once.", minimum=1
    )
    pool_size: int = _setting("VETRINA_POOL_SIZE", 8, "Database connections of one process.", minimum=2)
    development: bool = _setting("VETRINA_DEVELOPMENT", False, "Show details of errors; never on a public site.")
    sandbox: bool = _setting(
        "VETRINA_SANDBOX", True, "The sandbox gateway, which takes no money. Turn it off on a site that sells."
    )
    stripe_api_key: str = _setting("STRIPE_API_KEY", "", "Reads from (and sells through) Stripe.", secret=True)
    stripe_webhook_secret: str = _setting(
        "STRIPE_WEBHOOK_SECRET", "", "Signs what Stripe tells us; two, comma-separated, while it is rotated.", secret=True
    )
    stripe_api_base: str = _setting("STRIPE_API_BASE", "https://api.stripe.com", "Another address of Stripe, such as a fake.")
    zarinpal_merchant_id: str = _setting("ZARINPAL_MERCHANT_ID", "", "Turns on ZarinPal, which takes rials.", secret=True)
    zarinpal_api_base: str = _setting("ZARINPAL_API_BASE", "", "Another address of ZarinPal's gateway, such as a fake.")
    only: str = _setting("VETRINA_ONLY", "", "Modules to serve, comma-separated, with those that they need; all if not set.")
    log_format: str = _setting(
        "VETRINA_LOG_FORMAT", "auto", "json, text, or auto (on a terminal text, without requests that went well)."
    )
    openai_api_key: str = _setting("OPENAI_API_KEY", "", "Turns on the OpenAI-compatible images engine.", secret=True)
    openai_base_url: str = _setting("OPENAI_BASE_URL", "", "Another OpenAI-compatible endpoint.")
    openai_image_model: str = _setting("OPENAI_IMAGE_MODEL", "gpt-image-2.5-sunburst", "The images model to ask for.")
    comfyui_url: str = _setting("COMFYUI_URL", "", "Turns on the ComfyUI engine.")
    smtp_url: str = _setting("VETRINA_SMTP_URL", "", "Sends mail: smtp://user:password@host:587 or smtps://.", secret=True)
    mail_from: str = _setting("VETRINA_MAIL_FROM", "Vetrina <vetrina@localhost>", "The sender of mail.")
    sms_from: str = _setting("VETRINA_SMS_FROM", "", "The sender of SMS: a number or name that the provider knows.")
    phone_region: str = _setting(
        "VETRINA_PHONE_REGION", "", "Where a phone number without a country is (ISO 3166: IR, DE); otherwise it needs one."
    )
    twilio_account_sid: str = _setting("TWILIO_ACCOUNT_SID", "", "With the token: sends SMS through Twilio.")
    twilio_auth_token: str = _setting("TWILIO_AUTH_TOKEN", "", "Twilio's token.", secret=True)
    twilio_api_base: str = _setting("TWILIO_API_BASE", "https://api.twilio.com", "Another address of Twilio's API.")
    oidc_issuer: str = _setting(
        "VETRINA_OIDC_ISSUER", "", "With a client id: signing in through an OpenID Connect provider, such as a Cognito user pool."
    )
    oidc_client_id: str = _setting("VETRINA_OIDC_CLIENT_ID", "", "Our client id at the OpenID Connect provider.")
    oidc_client_secret: str = _setting(
        "VETRINA_OIDC_CLIENT_SECRET", "", "Our secret there, unless the client is public.", secret=True
    )
    oidc_name: str = _setting("VETRINA_OIDC_NAME", "Single sign-on", "What people call the OpenID Connect provider.")
    oidc_discovery: str = _setting("VETRINA_OIDC_DISCOVERY", "", "Another address of its discovery document, such as a fake.")
    dns_servers: str = _setting(
        "VETRINA_DNS_SERVERS", "", "Name servers (address or address:port, comma-separated) to ask; otherwise the system's."
    )
    comfyui_workflow: str = _setting("COMFYUI_WORKFLOW", "", "An own workflow file (API format) for ComfyUI.")

    @property
    def secure(self) -> bool:
        """Whether people reach the site over TLS."""
        return self.public_url.startswith("https://")

    @property
    def address(self) -> str:
        """The site's address, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


def read(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from `environment` (the process's own by default).

    Raises BadSetting, naming the variable, if a value cannot be used.
    """
    source = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    for each in fields(Settings):
        raw = source.get(each.metadata["variable"], "").strip()
        if raw:
            values[each.name] = _parse(each.metadata["variable"], raw, each.default, each.metadata["minimum"])
    return Settings(**values)


def describe(settings: Settings) -> list[dict[str, str]]:
    """Every setting with its variable, value in use and meaning. Secrets are masked."""
    rows: list[dict[str, str]] = []
    for each in fields(Settings):
        value = getattr(settings, each.name)
        shown = ("set" if value else "not set") if each.metadata["secret"] else str(value)
        rows.append({"variable": each.metadata["variable"], "value": shown, "about": each.metadata["about"]})
    return rows


def secret_keys(settings: Settings) -> list[bytes]:
    """The signing secrets, newest first: VETRINA_SECRET_KEY (comma-separated while rotating) or a kept one."""
    if settings.secret_key:
        return [part.strip().encode() for part in settings.secret_key.split(",") if part.strip()]
    kept = settings.data / "secret-key.json"
    settings.data.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return [key.encode() for key in json.loads(kept.read_text())]
    with os.fdopen(handle, "w") as file:
        key = secrets.token_urlsafe(48)
        json.dump([key], file)
    return [key.encode()]


def _parse(variable: str, raw: str, default: Any, minimum: int | None) -> Any:
    if isinstance(default, bool):
        if raw.lower() in {"1", "true", "yes", "on"}:
            return True
        if raw.lower() in {"0", "false", "no", "off"}:
            return False
        raise BadSetting(f"{variable} must be true or false, not {raw!r}.")
    if isinstance(default, int):
        try:
            number = int(raw)
        except ValueError:
            raise BadSetting(f"{variable} must be a whole number, not {raw!r}.") from None
        if minimum is not None and number < minimum:
            raise BadSetting(f"{variable} must be at least {minimum}, not {number}.")
        return number
    return Path(raw) if isinstance(default, Path) else raw
