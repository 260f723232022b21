"""Settings: each is parsed once and refused by its name; the files of the data folder are whole or say what to restore."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import msgspec
import pytest

from vetrina.core.embedded import credentials
from vetrina.core.embedded.errors import NoAccess
from vetrina.core.files import write_whole
from vetrina.core.settings.environment import BadSetting, Settings, read, secret_keys, unknown

REFUSED = {
    "VETRINA_HEIC": ["maybe", ","],
    "VETRINA_PROFILE": ["shop", "gallery,studio", ","],
    "VETRINA_DATA": [__file__],
    "VETRINA_HOST": ["http://host", "a b", "127.0.0.1:80", "-", ","],
    "VETRINA_PORT": ["99999", "-1", "http", "80 80", "1e3", ","],
    "VETRINA_PUBLIC_URL": [
        "studio.example.com",
        "ftp://studio.example.com",
        "https://",
        "https://host name",
        "https://host:99999",
        "https://host/path",
        "https://host:p@host",
        "https://host?x",
        "garbage",
        ",",
    ],
    "VETRINA_TRUSTED_PROXIES": ["proxy", "10.0.0.1;10.0.0.2", "10.0.0.1/8", "10.0.0.1,,10.0.0.2", ",", "*,*"],
    "VETRINA_CONNECTIONS_PER_ADDRESS": ["many", "-1"],
    "VETRINA_METRICS_TOKEN": ["short", "a token with spaces in it", ","],
    "VETRINA_DATABASE_URL": ["garbage", "http://host/d", "host", ","],
    "VETRINA_STORAGE_URL": ["ftp://bucket", "bucket", "s3://", "file:///tmp", "s3://b?x=1", ","],
    "VETRINA_CREDENTIALS_FILE": ["/no/such/file", "/", ","],
    "VETRINA_SECRET_KEY": ["x", "a" * 31, "a" * 40 + ",b", ",", "a" * 40 + ","],
    "VETRINA_WEB_PROCESSES": ["0", "two"],
    "VETRINA_WORKER_PROCESSES": ["-1", "two"],
    "VETRINA_WORKER_CONCURRENCY": ["0"],
    "VETRINA_BUILTIN_CONCURRENCY": ["0"],
    "VETRINA_POOL_SIZE": ["1", "8.0"],
    "VETRINA_DEVELOPMENT": ["maybe", ","],
    "VETRINA_SANDBOX": ["maybe", "2"],
    "VETRINA_SANDBOX_BESIDE_GATEWAYS": ["maybe"],
    "STRIPE_API_KEY": ["sk test", "sk\u00fc"],
    "STRIPE_WEBHOOK_SECRET": [",", "a,b,c", "whsec_a,"],
    "STRIPE_API_BASE": ["api.stripe.com", "garbage"],
    "ZARINPAL_MERCHANT_ID": ["a b"],
    "ZARINPAL_API_BASE": ["garbage"],
    "VETRINA_ONLY": [",", "studio;reports", "Studio!"],
    "VETRINA_LOG_FORMAT": ["xml", ","],
    "OPENAI_API_KEY": ["a b"],
    "OPENAI_BASE_URL": ["garbage", "https://host/v1?x=1"],
    "OPENAI_IMAGE_MODEL": ["a b"],
    "COMFYUI_URL": ["127.0.0.1:8188", "ws://h"],
    "COMFYUI_WORKFLOW": ["/no/such/file.json"],
    "VETRINA_SMTP_URL": ["mail.example.com", "smtp://", "smtp://h:99999", "http://host", ","],
    "VETRINA_MAIL_FROM": ["garbage", "a@b@c", "Studio <>", "two@example.com, three@example.com", ","],
    "VETRINA_SMS_FROM": ["+", "a,b", ","],
    "VETRINA_PHONE_REGION": ["Iran", "XX", "9", ","],
    "TWILIO_ACCOUNT_SID": ["a b"],
    "TWILIO_AUTH_TOKEN": ["a b"],
    "TWILIO_API_BASE": ["garbage"],
    "VETRINA_OIDC_ISSUER": ["garbage", "https://"],
    "VETRINA_OIDC_CLIENT_ID": ["a b"],
    "VETRINA_OIDC_CLIENT_SECRET": ["a\x07b"],
    "VETRINA_OIDC_NAME": ["a\nb"],
    "VETRINA_OIDC_DISCOVERY": ["garbage"],
    "VETRINA_DISK_RESERVE": ["much", "-1GB", "1.5.2GB", "101%"],
    "VETRINA_DNS_SERVERS": ["ns.example", "9.9.9.9:0", "9.9.9.9:99999", ",", "9.9.9.9,"],
}
TAKEN = {
    "VETRINA_HOST": ["0.0.0.0", "::", "localhost", "web-1.internal"],
    "VETRINA_PORT": ["0", "443", "65535"],
    "VETRINA_PUBLIC_URL": ["https://studio.example.com", "http://localhost:8000/", "https://[2001:db8::1]:8443"],
    "VETRINA_TRUSTED_PROXIES": ["*", "10.0.0.5", "10.0.0.5, 10.1.0.0/16, fd00::/8"],
    "VETRINA_DATABASE_URL": ["postgresql://u:p@h:5432/d", "host=/run/postgresql dbname=vetrina"],
    "VETRINA_STORAGE_URL": ["s3://bucket", "s3://bucket/folder", "gs://a-bucket", "az://container/folder"],
    "VETRINA_SECRET_KEY": ["a" * 32, "a" * 40 + ", " + "b" * 40],
    "STRIPE_WEBHOOK_SECRET": ["whsec_a", "whsec_a, whsec_b"],
    "VETRINA_SMTP_URL": ["smtp://user:pass%40word@mail.example.com:587", "smtps://mail.example.com"],
    "VETRINA_MAIL_FROM": ["studio@example.com", "Das Studio <studio@example.com>", "Vetrina <vetrina@localhost>"],
    "VETRINA_SMS_FROM": ["+15551234567", "72404", "Studio"],
    "VETRINA_PHONE_REGION": ["IR", "de"],
    "VETRINA_DISK_RESERVE": ["1GB", "500MB", "5%"],
    "VETRINA_DNS_SERVERS": ["9.9.9.9", "127.0.0.1:5353, [2620:fe::fe]:53, 2620:fe::fe"],
    "OPENAI_BASE_URL": ["http://127.0.0.1:8080/v1"],
}


def run(command: str, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command of Vetrina with these settings."""
    words = [sys.executable, "-m", "vetrina", command]
    return subprocess.run(words, env={**os.environ, **settings}, capture_output=True, text=True, timeout=60)


def test_every_setting_rejects_an_invalid_value() -> None:
    """9.F30: no setting takes whatever comes."""
    assert set(REFUSED) == {field.metadata["variable"] for field in fields(Settings)}


@pytest.mark.parametrize(("variable", "value"), [(name, value) for name, many in REFUSED.items() for value in many])
def test_invalid_setting_is_named(variable: str, value: str) -> None:
    """9.F30: with what is allowed, and without repeating a secret."""
    with pytest.raises(BadSetting) as refused:
        read({variable: value})
    message = str(refused.value)
    assert message.startswith(f"{variable} must ")
    secret = next(field.metadata["secret"] for field in fields(Settings) if field.metadata["variable"] == variable)
    assert (f"not {value!r}" in message) is not secret


@pytest.mark.parametrize(("variable", "value"), [(name, value) for name, many in TAKEN.items() for value in many])
def test_usual_values_are_taken(variable: str, value: str) -> None:
    """9.F30: parsing refuses nothing that works."""
    read({variable: value})


def test_all_invalid_settings_are_reported_at_once() -> None:
    """9.F30: one message for several settings; defaults are values that would be taken."""
    with pytest.raises(BadSetting) as refused:
        read({"VETRINA_PORT": "99999", "VETRINA_SECRET_KEY": "x"})
    assert [line.split()[0] for line in str(refused.value).splitlines()] == ["VETRINA_PORT", "VETRINA_SECRET_KEY"]
    for field in fields(Settings):
        if field.default not in {"", True, False}:
            assert field.metadata["parse"](str(field.default)) == field.default
    assert unknown({"VETRINA_PROT": "1", "VETRINA_PORT": "1", "HOME": "/"}) == ["VETRINA_PROT"]


@pytest.mark.parametrize(
    ("command", "settings"),
    [
        ("up", {"VETRINA_PORT": "99999"}),
        ("up", {"VETRINA_SECRET_KEY": ","}),
        ("up", {"VETRINA_STORAGE_URL": "ftp://bucket"}),
        ("up", {"VETRINA_ONLY": "no_such_module"}),
        ("serve", {"VETRINA_SANDBOX": "on", "STRIPE_API_KEY": "sk_live_1"}),
        ("serve", {"VETRINA_LOG_FORMAT": "xml"}),
        ("doctor", {"VETRINA_MAIL_FROM": "garbage"}),
    ],
)
def test_a_command_ends_with_one_message_and_78(command: str, settings: dict[str, str], tmp_path: Path) -> None:
    """9.F30: no traceback, no restarts."""
    done = run(command, {"VETRINA_DATA": str(tmp_path / "data"), **settings})
    assert done.returncode == 78, done.stderr
    assert next(iter(settings)) in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("damage", [b"", b"[]", b'["x"]', b"{", b'{"a": 1}', b"[1]", b"\xff\xfe"])
def test_damaged_secret_key_error_names_the_file_to_restore(damage: bytes, tmp_path: Path) -> None:
    """9.F31: `up` refuses it in one message, before anything is started."""
    (tmp_path / "secret-key.json").write_bytes(damage)
    with pytest.raises(BadSetting, match=r"secret-key.json is damaged: .* Restore it from a backup"):
        secret_keys(read({"VETRINA_DATA": str(tmp_path)}))
    if not damage:
        done = run("up", {"VETRINA_DATA": str(tmp_path)})
        assert done.returncode == 78
        assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("damage", [b"", b"{", b"[]"])
def test_damaged_credentials_error_names_the_file_to_restore(damage: bytes, tmp_path: Path) -> None:
    """9.F31: the passwords of the embedded database too."""
    (tmp_path / credentials.FILE).write_bytes(damage)
    with pytest.raises(NoAccess, match=r"postgres.json is damaged: .* Restore it from a backup"):
        credentials.read(tmp_path)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """9.F31: file and folder are flushed before and after the rename; a failure leaves the old file and no draft."""
    steps: list[str] = []
    for name in ("fsync", "replace", "link"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, real=real, name=name: (steps.append(name), real(*a))[1])
    path = tmp_path / "kept.json"
    write_whole(path, b"one", replace=False)
    write_whole(path, b"two", replace=False)
    assert path.read_bytes() == b"one"
    write_whole(path, b"three")
    assert path.read_bytes() == b"three"
    assert path.stat().st_mode & 0o777 == 0o600
    assert steps == ["fsync", "link", "fsync"] * 2 + ["fsync", "replace", "fsync"]

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError):  # noqa: PT011
        write_whole(path, b"four")
    assert path.read_bytes() == b"three"
    assert [item.name for item in tmp_path.iterdir()] == ["kept.json"]


def test_concurrent_processes_use_the_same_key(tmp_path: Path) -> None:
    """9.F31: eight at once read the same whole key."""
    code = "from vetrina.core.settings.environment import *; print(secret_keys(read())[0].decode())"
    environment = {**os.environ, "VETRINA_DATA": str(tmp_path / "data")}
    many = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment) for _ in range(8)]
    message = {item.communicate()[0] for item in many}
    assert len(message) == 1
    assert msgspec.json.decode((tmp_path / "data" / "secret-key.json").read_bytes()) == [message.pop().decode().strip()]
