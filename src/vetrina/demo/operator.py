"""The demo's operator: an account with access to the operator pages."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

import msgspec

from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles import queries as queries_roles
from vetrina.accounts.roles.actions import Role
from vetrina.core.command_line.database_access import doing
from vetrina.core.database.connection import Tx
from vetrina.core.settings.environment import Settings
from vetrina.demo.runner import CheckFailed, DemoRun
from vetrina.demo.seed import Login, keep

EMAIL = "operator@example.com"
FILE = "demo-operator.json"


def create_operator(demo: DemoRun, settings: Settings) -> Login:
    """Create the operator's account over HTTP and grant its role, once per data folder. Raises CheckFailed."""
    credentials = _login(settings.data)
    if credentials.finished:
        return credentials
    answer = demo.client.post(
        "/api/v1/auth/registration", json={"email": credentials.email, "password": credentials.password, "name": "Operator"}
    )
    if answer.status_code not in {201, 409}:
        raise CheckFailed(f"the operator's account cannot be created: {answer.status_code} {answer.text[:200]}")
    asyncio.run(doing(settings, _grant))
    return keep(settings.data / FILE, Login(credentials.email, credentials.password, finished=True))


async def _grant(tx: Tx) -> None:
    account = await tx.fetch_one(queries_roles.BY_EMAIL, kind="user", email=EMAIL)
    await roles.grant(tx, account, Role.SUPERUSER)


def _login(data: Path) -> Login:
    file = data / FILE
    if file.exists():
        return msgspec.json.decode(file.read_bytes(), type=Login)
    return keep(file, Login(EMAIL, secrets.token_urlsafe(9)))
