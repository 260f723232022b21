"""The mirror alone: only the requested modules are loaded, and a partly migrated database is not served."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx2
import psycopg
import pytest

from tests.factories import Make
from tests.server import serving
from tests.stripe_mirror.helpers import SECRET, deliver
from vetrina.accounts.roles import actions as roles
from vetrina.app import create
from vetrina.core.command_line import exit_codes as exits
from vetrina.core.services import connect
from vetrina.core.settings.environment import BadSetting, Settings, read
from vetrina.modules import loaded
from vetrina.stripe_mirror.consistency import sample_data as sample

AT = 1_760_000_000

TRAP = """
create function public.trap() returns event_trigger language plpgsql as $$
begin
  if to_regclass('stripe_mirror.events') is not null then raise exception 'no further than this'; end if;
end $$;
create event trigger trap on ddl_command_start when tag in ('CREATE TYPE') execute function public.trap();
"""
"""The mirror's first migration creates its tables, then a type."""


async def test_only_the_mirror_is_served(settings: Settings, database: str) -> None:
    exclusive_lock = replace(settings, only="stripe_mirror", stripe_webhook_secret=SECRET)
    async with serving(connect(exclusive_lock, database)) as site:
        event = sample.event("customer.created", sample.customer(1, AT), AT, 1)
        assert (await deliver(site, event)).json() == {"received": True, "new": True}
        for path in ("/studio", "/library", "/wallet", "/payments", "/api/v1/packs", "/api/v1/styles", "/api/v1/files"):
            assert (await site.client.get(path)).status_code == 404, path
        front = await site.client.get("/")
        assert (front.status_code, front.headers["location"]) == (303, "/operator/stripe")
        assert (await site.client.get("/sign-in")).status_code == 200
        boss = await Make(site.services).account()
        async with site.services.db.tx() as tx:
            await roles.grant(tx, boss.id, roles.Role.ADMIN)
        async with site.browser(boss) as browser:
            page = await browser.get("/operator/stripe")
            account_links = {item.partition('"')[0] for item in page.text.split('href="')[1:]}
            deleted: list[str] = []
            for link in sorted(item for item in account_links if item.startswith("/") and not item.startswith("/static")):
                answer = await browser.get(link, follow_redirects=True)
                deleted += [link] if answer.status_code == 404 else []
            assert deleted == [], "what is not there is not linked to"


def test_only_the_mirrors_jobs_are_loaded() -> None:
    code = (
        "from vetrina import worker; from vetrina.core.jobs import queue as jobs;"
        "from vetrina.core.settings.environment import read;"
        "worker.load(read({'VETRINA_ONLY': 'stripe_mirror'})); print(*sorted(jobs.app.tasks))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"stripe_mirror.resolve_ties", "stripe_mirror.reconcile", "core.forget_old_keys"} <= set(result)
    assert not [item for item in result if item.startswith(("payments.", "studio.", "wallet.", "media."))]


def test_unknown_module_is_refused() -> None:
    with pytest.raises(BadSetting, match="strype"):
        loaded(read({"VETRINA_ONLY": "strype"}))
    assert loaded(read({"VETRINA_ONLY": " stripe_mirror "})) == ["accounts", "stripe_mirror"]
    assert len(loaded(read({}))) > 5
    assert create  # the application is tested above


def test_failing_migration_is_rolled_back(server: str, template: str, tmp_path: Path) -> None:
    """An obstacle stops a migration in the middle of its file: it is rolled back, and nothing is served."""
    name = f"half_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name} owner vetrina_owner".encode())
    parts = urlsplit(server)
    place = parts.netloc.rpartition("@")[2]
    uri = urlunsplit(parts._replace(netloc=f"vetrina_owner:test@{place}", path=f"/{name}"))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("VETRINA_", "STRIPE_"))}
    environment = {**inherited, "VETRINA_DATABASE_URL": uri, "VETRINA_DATA": str(tmp_path), "VETRINA_PORT": str(port)}
    command = [sys.executable, "-m", "vetrina", "up", "--only", "stripe_mirror"]
    try:
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute(TRAP.encode())
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90)
        assert done.returncode == exits.DATABASE, done.stdout + done.stderr
        assert "no further than this" in done.stderr
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(f"http://127.0.0.1:{port}/readyz")
        with psycopg.connect(uri) as connection:
            applied = {row[0] for row in connection.execute("select name from core.migrations").fetchall()}
            assert "0006_studio" in applied and not any(item.startswith("0007") for item in applied)
            assert connection.execute("select to_regclass('stripe_mirror.events')").fetchone() == (None,)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)".encode())
