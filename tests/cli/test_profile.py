"""The profile of a site: its modules, credits, gifts and limits."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.server import serving
from vetrina import modules
from vetrina.cli import main
from vetrina.core.command_line import exit_codes as exits
from vetrina.core.settings.environment import Settings
from vetrina.prepare import prepare
from vetrina.site_profiles import PROFILES
from vetrina.wallet.model import Asset


@pytest.fixture
def shell(owner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> psycopg.Connection[tuple[object, ...]]:
    """Return a connection to the commands' database."""
    monkeypatch.setenv("VETRINA_DATABASE_URL", owner)
    monkeypatch.setenv("VETRINA_DATA", str(tmp_path / "data"))
    return psycopg.connect(owner, autocommit=True)


def test_profiles_name_modules_assets_and_settings_that_exist(shell: psycopg.Connection[tuple[object, ...]]) -> None:
    (field,) = [item for item in fields(Settings) if item.name == "profile"]
    assert field.metadata["parse"]("ALL") == "all" and set(PROFILES) == {
        name for name in PROFILES if field.metadata["parse"](name) == name
    }
    keys = {row[0] for row in shell.execute("select key from core.settings")}
    for profile in PROFILES.values():
        assert set(profile.modules) <= {module.name for module in modules.MODULES}
        assert (profile.assets or set()) <= set(Asset) and set(profile.settings) <= keys


def test_profile_decides_modules_and_credits(settings: Settings) -> None:
    def served(**changes: str) -> tuple[list[str], set[str]]:
        changed = replace(settings, **changes)
        return modules.loaded(changed), set(modules.of(changed).spends)

    everything = [module.name for module in modules.MODULES]
    assert served()[0] == served(profile="all")[0] == everything and "token" in served()[1]
    assert served(profile="cogento") == (["accounts", "stripe_mirror", "reports"], set())
    assert served(profile="ai-stayler") == (
        ["accounts", "notifications", "wallet", "media", "payments", "studio"],
        {"conversion", "image_slot"},
    )
    assert served(profile="style-studio")[1] == {"token"}
    assert served(profile="style-studio", only="reports")[0] == ["accounts", "stripe_mirror", "reports"]


def test_profile_lists_and_applies_settings(
    shell: psycopg.Connection[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gift = "select value from core.settings where key = 'wallet.welcome_tokens'"
    monkeypatch.setenv("VETRINA_PROFILE", "ai-stayler")
    assert main(["profile"]) == exits.OK
    output = capsys.readouterr().out
    assert "Credits: conversion, image_slot" in output and "wallet.welcome_tokens 0 (is 20)" in output
    assert shell.execute(gift).fetchone() == (20,), "showing changes nothing"
    assert main(["profile", "--apply", "--json"]) == exits.OK
    assert json.loads(capsys.readouterr().out)["applied"]["wallet.welcome_tokens"] == 20
    assert shell.execute(gift).fetchone() == (0,)
    changes = "select resource_id from core.audit_logs where action = 'setting_changed' order by id desc limit 2"
    assert ("wallet.welcome_tokens",) in shell.execute(changes).fetchall()
    assert main(["profile", "--apply", "--json"]) == exits.OK
    assert json.loads(capsys.readouterr().out)["applied"] == {}
    monkeypatch.setenv("VETRINA_PROFILE", "everything")
    assert main(["profile"]) == exits.CONFIGURATION
    assert "must be one of all, gallery" in capsys.readouterr().err


async def test_new_database_has_the_profiles_settings_and_an_old_one_keeps_its_own(
    server: str, template: str, owner: str, settings: Settings
) -> None:
    name = f"profile_{template}"
    uri = owner.replace(urlsplit(owner).path, f"/{name}")
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"create database {name} owner vetrina_owner".encode())
        try:
            await prepare(replace(settings, profile="gallery"), uri)
            await prepare(replace(settings, profile="style-studio"), uri)
            with psycopg.connect(uri) as connection:
                query = "select value from core.settings where key = 'wallet.welcome_tokens'"
                assert connection.execute(query).fetchone() == (0,)
        finally:
            admin.execute(f"drop database {name} with (force)".encode())


async def test_site_without_tokens_shows_none(settings: Settings, database: str) -> None:
    configured = replace(settings, profile="ai-stayler")
    async with serving(modules.connect(configured, database)) as site:
        assert site.services.modules.spends == {"conversion", "image_slot"}
        packs = (await site.client.get("/api/v1/packs")).json()["items"]
        assert {pack["asset"] for pack in packs} <= {"conversion", "image_slot"}
