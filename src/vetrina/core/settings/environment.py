"""Settings: read once from the environment, documented where they are declared.

`vetrina doctor` prints this table, so every setting is described here.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, cast

from vetrina.core.files import write_whole
from vetrina.core.settings import values

KEPT_KEY = "secret-key.json"
"""The file in the data folder that holds the signing secrets, unless VETRINA_SECRET_KEY does."""


class BadSetting(ValueError):
    """A setting in the environment is invalid; the message names it and says why."""


def _setting(variable: str, default: Any, about: str, parse: Callable[[str], Any], *, secret: bool = False) -> Any:
    return field(default=default, metadata={"variable": variable, "about": about, "parse": parse, "secret": secret})


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of an installation. Empty values count as not set."""

    data: Path = _setting("VETRINA_DATA", Path(".vetrina"), "The data folder: database, files, secrets.", values.folder)
    host: str = _setting("VETRINA_HOST", "127.0.0.1", "Address to listen on; put a TLS proxy before any other.", values.host)
    port: int = _setting("VETRINA_PORT", 8000, "Port of the web site.", values.number(0, 65535))
    public_url: str = _setting(
        "VETRINA_PUBLIC_URL", "", "The site's address as people see it; https turns on Secure cookies.", values.site
    )
    trusted_proxies: str = _setting(
        "VETRINA_TRUSTED_PROXIES",
        "",
        "Addresses (comma-separated) whose X-Forwarded-For and -Proto are believed; * for any.",
        values.networks,
    )
    connections_per_address: int = _setting(
        "VETRINA_CONNECTIONS_PER_ADDRESS",
        256,
        "Connections that one address may hold open to one web process; 0 for any number. Trusted proxies are not counted.",
        values.number(0, 1_000_000),
    )
    metrics_token: str = _setting(
        "VETRINA_METRICS_TOKEN",
        "",
        "The bearer token that opens /metrics; without one, only this machine reads it.",
        values.token,
        secret=True,
    )
    database_url: str = _setting(
        "VETRINA_DATABASE_URL", "", "An own PostgreSQL 15 or newer, in place of the embedded one.", values.database, secret=True
    )
    storage_url: str = _setting(
        "VETRINA_STORAGE_URL", "", "s3://, gs:// or az:// for files; otherwise the data folder.", values.storage
    )
    disk_reserve: str = _setting(
        "VETRINA_DISK_RESERVE",
        "1GB",
        "Free space (2GB, 5%) of the data folder's disk below which uploads and exports are refused; 0 for none.",
        values.reserve,
    )
    secret_key: str = _setting(
        "VETRINA_SECRET_KEY",
        "",
        "Signs tokens and links; made and kept in the data folder if not set.",
        values.secret_keys,
        secret=True,
    )
    credentials_file: str = _setting(
        "VETRINA_CREDENTIALS_FILE",
        "",
        "Key and certificate chain (PEM) that sign Content Credentials; otherwise the site's own, in the data folder.",
        values.file,
    )
    web_processes: int = _setting("VETRINA_WEB_PROCESSES", 2, "Web processes of `vetrina up`.", values.number(1, 256))
    worker_processes: int = _setting("VETRINA_WORKER_PROCESSES", 1, "Worker processes of `vetrina up`.", values.number(0, 256))
    worker_concurrency: int = _setting(
        "VETRINA_WORKER_CONCURRENCY", 4, "Pictures that one worker makes at once.", values.number(1, 256)
    )
    builtin_concurrency: int = _setting(
        "VETRINA_BUILTIN_CONCURRENCY", 2, "Pictures that one worker's built-in engine makes at once.", values.number(1, 256)
    )
    pool_size: int = _setting("VETRINA_POOL_SIZE", 8, "Database connections of one process.", values.number(2, 1000))
    development: bool = _setting("VETRINA_DEVELOPMENT", False, "Show details of errors; never on a public site.", values.flag)
    sandbox: bool = _setting(
        "VETRINA_SANDBOX", False, "The sandbox gateway, which takes no money; if not set, on in development only.", values.flag
    )
    sandbox_beside_gateways: bool = _setting(
        "VETRINA_SANDBOX_BESIDE_GATEWAYS", False, "Keep the sandbox on beside a gateway that takes money.", values.flag
    )
    stripe_api_key: str = _setting("STRIPE_API_KEY", "", "Reads from (and sells through) Stripe.", values.word, secret=True)
    stripe_webhook_secret: str = _setting(
        "STRIPE_WEBHOOK_SECRET",
        "",
        "Signs what Stripe tells us; two, comma-separated, while it is rotated.",
        values.one_or_two,
        secret=True,
    )
    stripe_api_base: str = _setting(
        "STRIPE_API_BASE", "https://api.stripe.com", "Another address of Stripe, such as a fake.", values.endpoint
    )
    zarinpal_merchant_id: str = _setting(
        "ZARINPAL_MERCHANT_ID", "", "Turns on ZarinPal, which takes rials.", values.word, secret=True
    )
    zarinpal_api_base: str = _setting(
        "ZARINPAL_API_BASE", "", "Another address of ZarinPal's gateway, such as a fake.", values.endpoint
    )
    only: str = _setting(
        "VETRINA_ONLY", "", "Modules to serve, comma-separated, with those that they need; all if not set.", values.names
    )
    profile: str = _setting(
        "VETRINA_PROFILE",
        "all",
        "The documented system to run as: all, gallery, style-studio, cogento, ai-stayler or contacts (`vetrina profile`).",
        values.choice("all", "gallery", "style-studio", "cogento", "ai-stayler", "contacts"),
    )
    heic: bool = _setting(
        "VETRINA_HEIC", False, "Take HEIC uploads. HEVC is covered by patents: ask whether you need a licence.", values.flag
    )
    log_format: str = _setting(
        "VETRINA_LOG_FORMAT",
        "auto",
        "json, text (a line for each request), or auto (text on a terminal, otherwise JSON).",
        values.choice("auto", "json", "text"),
    )
    openai_api_key: str = _setting(
        "OPENAI_API_KEY", "", "Turns on the OpenAI-compatible images engine.", values.word, secret=True
    )
    openai_base_url: str = _setting("OPENAI_BASE_URL", "", "Another OpenAI-compatible endpoint.", values.endpoint)
    openai_image_model: str = _setting(
        "OPENAI_IMAGE_MODEL", "gpt-image-2.5-sunburst", "The images model to ask for.", values.word
    )
    comfyui_url: str = _setting("COMFYUI_URL", "", "Turns on the ComfyUI engine.", values.endpoint)
    smtp_url: str = _setting(
        "VETRINA_SMTP_URL", "", "Sends mail: smtp://user:password@host:587 or smtps://.", values.smtp, secret=True
    )
    mail_from: str = _setting("VETRINA_MAIL_FROM", "Vetrina <vetrina@localhost>", "The sender of mail.", values.sender)
    sms_from: str = _setting(
        "VETRINA_SMS_FROM", "", "The sender of SMS: a number or name that the provider knows.", values.sms_sender
    )
    phone_region: str = _setting(
        "VETRINA_PHONE_REGION",
        "",
        "Where a phone number without a country is (ISO 3166: IR, DE); otherwise it needs one.",
        values.region,
    )
    twilio_account_sid: str = _setting("TWILIO_ACCOUNT_SID", "", "With the token: sends SMS through Twilio.", values.word)
    twilio_auth_token: str = _setting("TWILIO_AUTH_TOKEN", "", "Twilio's token.", values.word, secret=True)
    twilio_api_base: str = _setting(
        "TWILIO_API_BASE", "https://api.twilio.com", "Another address of Twilio's API.", values.endpoint
    )
    oidc_issuer: str = _setting(
        "VETRINA_OIDC_ISSUER",
        "",
        "With a client id: signing in through an OpenID Connect provider, such as a Cognito user pool.",
        values.endpoint,
    )
    oidc_client_id: str = _setting("VETRINA_OIDC_CLIENT_ID", "", "Our client id at the OpenID Connect provider.", values.word)
    oidc_client_secret: str = _setting(
        "VETRINA_OIDC_CLIENT_SECRET", "", "Our secret there, unless the client is public.", values.text, secret=True
    )
    oidc_name: str = _setting("VETRINA_OIDC_NAME", "Single sign-on", "What people call the OpenID Connect provider.", values.text)
    oidc_discovery: str = _setting(
        "VETRINA_OIDC_DISCOVERY", "", "Another address of its discovery document, such as a fake.", values.endpoint
    )
    dns_servers: str = _setting(
        "VETRINA_DNS_SERVERS",
        "",
        "Name servers (address or address:port, comma-separated) to ask; otherwise the system's.",
        values.name_server_list,
    )
    comfyui_workflow: str = _setting("COMFYUI_WORKFLOW", "", "An own workflow file (API format) for ComfyUI.", values.file)

    @property
    def secure(self) -> bool:
        """Return whether clients reach the site over TLS."""
        return self.public_url.startswith("https://")

    @property
    def address(self) -> str:
        """Return the site's address without a trailing slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


def read(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of `environment` (by default the process's own).

    Raises BadSetting, naming every invalid variable and its allowed values.
    """
    source = os.environ if environment is None else environment
    parsed: dict[str, Any] = {}
    problems: list[str] = []
    for item in fields(Settings):
        variable, parse, secret = (item.metadata[key] for key in ("variable", "parse", "secret"))
        raw = source.get(variable, "").strip()
        if raw:
            try:
                parsed[item.name] = parse(raw)
            except ValueError as error:
                problems.append(f"{variable} {error}." if secret else f"{variable} {error}, not {raw[:100]!r}.")
    if problems:
        raise BadSetting("\n".join(problems))
    parsed.setdefault("sandbox", parsed.get("development", False))
    settings = Settings(**parsed)
    _check_sandbox(settings)
    return settings


def unknown(environment: Mapping[str, str] | None = None) -> list[str]:
    """Return the variables of `environment` that start with the prefix but are not settings."""
    source = os.environ if environment is None else environment
    variables = {item.metadata["variable"] for item in fields(Settings)}
    return sorted(name for name in source if name.startswith("VETRINA_") and name not in variables)


def describe(settings: Settings) -> list[dict[str, str]]:
    """Return every setting with its variable, current value and description. Secrets are masked."""
    rows: list[dict[str, str]] = []
    for item in fields(Settings):
        value = getattr(settings, item.name)
        text = ("set" if value else "not set") if item.metadata["secret"] else str(value)
        rows.append({"variable": item.metadata["variable"], "value": text, "about": item.metadata["about"]})
    return rows


def secret_keys(settings: Settings) -> list[bytes]:
    """Return the signing secrets, newest first: VETRINA_SECRET_KEY, or the data folder's file, created if missing.

    Raises BadSetting when the file cannot be read, and says what that means.
    """
    if settings.secret_key:
        return [item.encode() for item in values.items(settings.secret_key)]
    key_file = settings.data / KEPT_KEY
    try:
        if not key_file.exists():
            write_whole(key_file, json.dumps([secrets.token_urlsafe(48)]).encode(), replace=False)
        keys = _stored_keys(key_file.read_bytes())
    except OSError as error:
        raise BadSetting(
            f"{key_file} cannot be read or written: {error.strerror}. Give it to the user that runs Vetrina."
        ) from error
    except ValueError as error:
        raise BadSetting(
            f"{key_file} is damaged: {error}. Restore it from a backup of the data folder. It signs sessions and links and seals "
            "second factors: if no copy is left, remove the file, and everybody signs in and sets up their second factor again."
        ) from None
    return keys


def _stored_keys(data: bytes) -> list[bytes]:
    if not data.strip():
        raise ValueError("it is empty")
    keys: Any = json.loads(data)
    if not isinstance(keys, list) or not keys or not all(isinstance(key, str) for key in cast("list[Any]", keys)):
        raise ValueError("it holds no list of keys")
    encoded = [key.encode() for key in cast("list[str]", keys)]
    if min(map(len, encoded)) < values.SECRET_BYTES:
        raise ValueError(f"a key in it is shorter than {values.SECRET_BYTES} bytes")
    return encoded


def _check_sandbox(settings: Settings) -> None:
    """Raise BadSetting where the sandbox gateway would grant free credits beside a gateway that takes money."""
    gateways = [
        name
        for name, value in (("STRIPE_API_KEY", settings.stripe_api_key), ("ZARINPAL_MERCHANT_ID", settings.zarinpal_merchant_id))
        if value
    ]
    if settings.sandbox and gateways and not settings.sandbox_beside_gateways:
        raise BadSetting(
            f"{' and '.join(gateways)} and the sandbox gateway are both set up: anyone could get credits for nothing. Set "
            "VETRINA_SANDBOX=off, or VETRINA_SANDBOX_BESIDE_GATEWAYS=on where that is meant."
        )
