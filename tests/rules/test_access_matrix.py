"""The access matrix: every API operation, called anonymously and as a stranger, the owner, an admin and a superuser."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any

from tests.access.matrix import Row, Scene
from tests.factories import Account, Make
from tests.rules.code import ROOT
from tests.server import Site
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles.actions import Role
from vetrina.core.web import dev_outbox as outbox
from vetrina.modules import CORE, MODULES

FILES = sorted(path.stem for path in (ROOT / "tests" / "access").glob("*.py") if path.stem != "matrix")

OPEN = {
    "/", "/sign-in", "/sign-up", "/sign-out", "/theme", "/language", "/healthz", "/readyz", "/metrics", "/outbox",
    "/sign-in/code", "/sign-in/kind", "/undo",
    "/sign-in/second-factor", "/verify", "/verify/again", "/verify/link", "/reset", "/reset/code", "/reset/link",
    "/terms", "/privacy", "/refunds", "/imprint", "/contact", "/.well-known/change-password", "/.well-known/security.txt",
    "/robots.txt", "/sitemap.xml", "/sitemaps/pages.xml", "/favicon.ico",
    "/service-worker.js", "/offline", "/explore", "/feed.atom", "/feed.json", "/oembed",
    "/prices", "/api/docs", "/api/docs/openapi.json", "/{rest:path}", "/payments/zarinpal/callback",
    "/payments/stripe/return",
}  # fmt: skip
"""Public pages that name no object. Pages with an account's data belong behind `signed_in` or a guard."""


def rows() -> dict[str, tuple[str, Row]]:
    """Return every row by its operation, with its file."""
    result: dict[str, tuple[str, Row]] = {}
    for file in FILES:
        for operation, row in importlib.import_module(f"tests.access.{file}").ROWS.items():
            assert operation not in result, f"{operation} has a row in tests/access/{file}.py and in {result[operation][0]}.py"
            result[operation] = (file, row)
    return result


async def operations(site: Site) -> dict[str, str]:
    """Return every operation of the OpenAPI document with its module."""
    document = (await site.client.get("/api/docs/openapi.json")).json()
    homes: dict[str, str] = {}
    for handler in (*(route for module in MODULES for route in module.api_routes()), *outbox.ROUTES):
        for path in handler.paths:
            plain = "/api/v1" + re.sub(r":\w+}", "}", path).removeprefix("/api/v1")
            for method in handler.http_methods:
                homes[f"{method} {plain}"] = handler.fn.__module__.split(".")[1]
    result = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}
    return {entry: homes[entry] for entry in result}


async def test_every_operation_has_a_row(site: Site) -> None:
    existing, there = rows(), await operations(site)
    missing = [
        f'{entry}: add a row to tests/access/{module}.py, such as "{entry}": own(); tests/access/matrix.py tells what there is'
        for entry, module in sorted(there.items())
        if entry not in existing
    ]
    assert missing == [], "\n" + "\n".join(missing)
    assert [
        f"{item} in tests/access/{existing[item][0]}.py names no operation" for item in sorted(set(existing) - set(there))
    ] == []


async def test_responses_match_the_access_matrix(site: Site, make: Make) -> None:
    scene = Scene(
        site,
        make,
        owner=await make.account(tokens=100),
        stranger=await make.account(),
        admin=await operator_account(make, Role.ADMIN),
        superuser=await operator_account(make, Role.SUPERUSER),
    )
    there = await operations(site)
    wrong: list[str] = []
    for operation, (_, row) in rows().items():
        if operation in there:
            wrong += await _wrong(scene, operation, row)
    assert wrong == [], "\n" + "\n".join(wrong)


async def _wrong(scene: Scene, operation: str, row: Row) -> list[str]:
    method, path = operation.split(" ")
    filled = path.format(**(await row.of(scene) if row.of else {}))
    wrong: list[str] = []
    # The owner is called after all who must be refused, a superuser last.
    for who in ("anonymous", "stranger", "admin", "owner", "superuser"):
        expected = getattr(row, who)
        if expected is None:
            continue
        account = None if who == "anonymous" else await scene.make.account() if row.alone else getattr(scene, who)
        status = await _call(scene, account, method, filled, row)
        if status != expected:
            wrong.append(f"{operation} as {who}: {status} instead of {expected}")
    return wrong


async def content_of(scene: Scene, declared: Any) -> Any:
    """Return the content to send: the declared one, or what the declared function returns."""
    content: Any = declared(scene) if callable(declared) else declared
    return await content if inspect.isawaitable(content) else content


async def _call(scene: Scene, account: Account | None, method: str, path: str, row: Row) -> int:
    arguments: dict[str, Any] = {
        "json": await content_of(scene, row.body),
        "data": await content_of(scene, row.form),
        "files": row.files,
    }
    sent = {name: value for name, value in arguments.items() if value is not None}
    headers = account.headers if account else {}
    async with scene.site.client.stream(method, path, headers=headers, **sent) as answer:
        return answer.status_code


async def operator_account(make: Make, role: Role) -> Account:
    """Return an account with a role."""
    account = await make.account()
    async with make.services.db.tx() as tx:
        await roles.grant(tx, account.id, role)
    return account


def test_every_page_that_names_nothing_is_open_or_guarded() -> None:
    handlers = [route for module in (CORE, *MODULES) for route in module.page_routes()]
    bare = {
        path
        for handler in handlers
        if not handler.guards
        for path in handler.paths
        if "{" not in path.removesuffix("{rest:path}")
    }
    listed = {path for path in bare if not path.startswith(("/api/v1/", "/webhooks/"))}
    assert listed - OPEN == set(), "give these `guards=[signed_in]` (or `operator`), or list them as OPEN"
