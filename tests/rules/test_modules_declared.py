"""Routes, jobs, commands and personal data are all declared in their module's MODULE object."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterable
from typing import Any

import psycopg
import pytest

from tests.rules.code import SOURCE, everything, trees
from vetrina import demo
from vetrina.accounts.sessions.queries import SESSION_OWNER, session_owner
from vetrina.cli import create
from vetrina.core.jobs import queue as jobs
from vetrina.core.module import Module
from vetrina.core.services import Services
from vetrina.core.settings.environment import read
from vetrina.modules import CORE, MODULES, loaded, of
from vetrina.wallet.queries import ENTRIES, entries
from vetrina.web import STATIC

ALL = (CORE, *MODULES, demo.MODULE)


def dotted(path: str) -> str:
    """Return the import path of a file below the package: accounts/sign_in/api.py is vetrina.accounts.sign_in.api."""
    return "vetrina." + path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def assigning(name: str, files: dict[str, ast.Module]) -> set[str]:
    """Return the files that assign a top-level name."""
    result: set[str] = set()
    for path, tree in files.items():
        for statement in tree.body:
            targets = [statement.target] if isinstance(statement, ast.AnnAssign) else getattr(statement, "targets", [])
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                result.add(dotted(path))
    return result


def with_jobs(files: dict[str, ast.Module]) -> set[str]:
    """Return the files with a function decorated with `job(...)`."""
    return {
        dotted(path)
        for path, tree in files.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncFunctionDef)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", getattr(decorator.func, "attr", "")) == "job"
    }


def undeclared(modules: Iterable[Module], files: dict[str, ast.Module]) -> list[str]:
    """Return names that are in the files but not in a module's object."""
    modules = list(modules)
    routes = {path for module in modules for path in (*module.api, *module.pages)}
    declared_jobs = {path for module in modules for path in module.jobs}
    parts = {module.personal_data for module in modules}
    commands = {command.target.partition(":")[0] for module in modules for command in module.commands}
    of_modules = {path: tree for path, tree in files.items() if not path.startswith(("commands/", "cli.py"))}
    return sorted(
        [f"routes: {path}" for path in assigning("ROUTES", files) - routes]
        + [f"jobs: {path}" for path in with_jobs(files) - declared_jobs]
        + [f"personal data: {path}" for path in assigning("PERSONAL_DATA", files) - parts]
        + [f"commands: {path}" for path in assigning("app", of_modules) - commands - {"vetrina.core.jobs.queue"}]
    )


def test_everything_is_declared_by_a_module() -> None:
    assert undeclared(ALL, trees()) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("wallet/extra_api.py", "ROUTES: list[object] = []"),
        ("media/more.py", "@job('media.more', queue='media')\nasync def more(services): ..."),
        ("studio/rooms/privacy.py", "PERSONAL_DATA = 1"),
        ("media/files/commands.py", "app = 1"),
    ],
)
def test_undeclared_names_are_reported(path: str, source: str) -> None:
    planted = {**trees(), path: ast.parse(source)}
    assert [item.rpartition(" ")[2] for item in undeclared(ALL, planted)] == [dotted(path)]


def test_declared_names_exist_and_belong_to_the_module() -> None:
    everything()
    for module in ALL:
        for path in (*module.api, *module.pages, *module.jobs, *filter(None, [module.personal_data])):
            assert path.startswith(f"vetrina.{module.name}."), path
            importlib.import_module(path)
        assert set(module.jobs) <= with_jobs(trees()), module.name
        for command in module.commands:
            path, _, name = command.target.partition(":")
            assert hasattr(importlib.import_module(path), name), command.target
        assert all(module.api_routes()) and all(module.page_routes())


def test_each_job_is_named_after_its_module() -> None:
    everything()
    names = {module.name for module in ALL}
    own = {name for name in jobs.app.tasks if "builtin" not in name and not name.startswith("tests.")}
    assert sorted(name for name in own if name.split(".")[0] not in names) == []


def test_required_modules_are_lower_and_loaded_together() -> None:
    before: list[str] = []
    for module in MODULES:
        assert set(module.requires) <= set(before), module.name
        before.append(module.name)
        assert set(loaded(read({"VETRINA_ONLY": module.name}))) == {module.name} | closure(module)


def closure(module: Module) -> set[str]:
    """Return a module's requirements, recursively."""
    named: dict[str, Module] = {item.name: item for item in MODULES}
    return {name for requirement in module.requires for name in {requirement, *closure(named[requirement])}}


def test_every_command_of_a_module_is_on_the_command_line() -> None:
    app: Any = create()
    assert {command.name for module in ALL for command in module.commands} <= {name for name in app}
    assert Services.modules.installed == (), "services know the modules only when composition has named them"


def test_the_pages_that_navigations_name_exist_and_their_icons_too() -> None:
    paths = {path for module in ALL for route in module.page_routes() for path in route.paths}
    icons = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "vendor/icons.svg").read_text()))
    for module in ALL:
        places = (*module.navigation, *module.account_menu, *module.settings_navigation, *module.operator_navigation)
        assert [place.href for place in places if place.href not in paths] == []
        assert [place.icon for place in places if place.icon and place.icon not in icons] == []
        assert all(place.about and place.icon for place in module.operator_navigation)
    keys = [place.key for module in ALL for place in module.navigation if place.key]
    assert len(keys) == len(set(keys)) >= 4


def test_session_columns_are_read_in_one_statement(as_owner: psycopg.Connection[Any]) -> None:
    installed = of(read({}))
    assert {name for name, _ in installed.session_columns} == {
        "balance",
        "has_running",
        "language",
        "time_zone",
        "unread_conversations",
        "unread_notifications",
    }
    statement = session_owner(installed.session_columns)
    as_owner.execute(b"prepare owner as " + re.sub(r"%\(\w+\)s", "null", statement.sql).encode())
    assert "wallet." not in SESSION_OWNER.sql, "where the wallet is not loaded nothing of it is read"


def test_each_limit_that_a_route_names_is_a_setting(as_owner: psycopg.Connection[Any]) -> None:
    rows = as_owner.execute("select key from core.settings where key like 'limits.%'").fetchall()
    routes = [route for module in ALL for route in (*module.api_routes(), *module.page_routes())]
    named = {route.opt[key] for route in routes for key in ("account_limit", "address_limit") if key in route.opt}
    assert named == {"sign_in", "uploads", "generations", "drafts", "share_cards", "sitemaps", "reports", "reactions",
                     "comments", "messages", "conversations"}  # fmt: skip
    assert {f"limits.{name}" for name in named} <= {key for (key,) in rows}


UNLIMITED = {"/sign-out", "/theme", "/language", "/payments/sandbox/{token:str}", "/{rest:path}"}
"""What anybody may send without being counted: nothing is guessed and nothing is sent out there."""


def test_whatever_strangers_may_send_is_counted_by_their_address() -> None:
    """A form or a call without a guard, such as signing in, would otherwise allow guessing."""
    uncounted = {
        path
        for module in ALL
        for route in (*module.api_routes(), *module.page_routes())
        if not {"POST", "PUT", "PATCH", "DELETE"}.isdisjoint(getattr(route, "http_methods", ()))
        if not route.guards and "address_limit" not in route.opt
        for path in route.paths
    }
    assert uncounted == UNLIMITED


HARMLESS = {
    "it protects, and is undone by signing in": {"sessions/revocation"},
    "it removes nothing for good, its owner is notified, and it is undone": {"takedown", "restoration", "dismissal", "featuring"},
    "applied twice it changes nothing, and only the gateway decides": {"inquiry", "replays", "retries"},
    "a badge, audited and undone at once": {"verification", "vendor-verification"},
    "words of the site, audited, the former ones kept": {"{code:str}"},
    "an operator's own": {"searches", "{search_id:uuid}", "removal"},
    "words for operators only, audited": {"notes"},
    "it cancels a danger": {"second-factor-removal"},
}
"""Writes of operators that ask for no password: they move no money or credits, open or close no access, weaken no limit."""


def test_every_write_of_an_operator_is_confirmed_or_harmless() -> None:
    unsaid = {
        f"{method} {path}"
        for module in ALL
        for route in (*module.api_routes(), *module.page_routes())
        if {"operator", "superuser"} & {getattr(guard, "__name__", "") for guard in route.guards or ()}
        for method in {"POST", "PUT", "PATCH", "DELETE"} & {str(method) for method in getattr(route, "http_methods", ())}
        for path in route.paths
        if "confirmed" not in route.opt
        if not any(path.rstrip("/").endswith(f"/{end}") for ends in HARMLESS.values() for end in ends)
    }
    assert unsaid == set()


def test_where_a_refusal_leads_and_where_one_signs_in_exist() -> None:
    paths = {path for module in ALL for route in module.page_routes() for path in route.paths}
    installed = of(read({}))
    assert {way_out.href for way_out in installed.error_pages.values()} <= paths
    assert {installed.sign_in, installed.after_sign_in} == {"/sign-in", "/studio"} and {"/sign-in", "/studio"} <= paths


def test_every_channel_that_is_subscribed_to_is_declared(as_owner: psycopg.Connection[Any]) -> None:
    """And every channel that a trigger notifies, or subscribers would wait for ever."""
    used: set[str] = set()
    for tree in trees().values():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            method = call.func
            if not isinstance(method, ast.Attribute):
                continue
            if method.attr in {"subscribe", "watch"} and "hub" in ast.unparse(method.value):
                used.add(re.split(r"[/@'\"]", ast.unparse(call.args[0]).lstrip("f").strip("'\""))[0])
    rows = as_owner.execute("select pg_get_functiondef(oid) from pg_proc where prosrc like '%pg_notify%'").fetchall()
    notified = {name for (text,) in rows for name in re.findall(r"pg_notify\(\s*'(\w+)'", text)}
    declared = {channel for module in ALL for channel in module.channels}
    assert used and used <= declared and declared == {name for name in notified if not name.startswith("procrastinate")}


def test_ledger_with_subject_names_is_one_statement(as_owner: psycopg.Connection[Any]) -> None:
    subjects = of(read({})).ledger_subjects
    assert {subject.kind for subject in subjects} == {"generation", "payment", "upload"}
    as_owner.execute(b"prepare ledger as " + re.sub(r"%\(\w+\)s", "null", entries(subjects).sql).encode())
    assert "studio." not in ENTRIES.sql and entries(()) is ENTRIES


def test_each_action_has_its_label_in_one_module() -> None:
    for name in ("AUDIT", "USAGE"):
        files = [importlib.import_module(module.labels) for module in ALL if module.labels]
        actions = [action for file in files for action in getattr(file, name, {})]
        assert len(actions) == len(set(actions)) >= 16
    installed = of(read({}))
    assert set(installed.audit_details) <= set(installed.audit_titles)


def test_links_and_ledger_subjects_lead_to_existing_routes() -> None:
    paths = {re.sub(r"{\w+(:\w+)?}", "{}", path) for module in ALL for route in module.page_routes() for path in route.paths}
    installed = of(read({}))
    addresses = [address for module in ALL for _, address in module.links] + [
        subject.href for subject in installed.ledger_subjects
    ]
    # The router sees /@ada as /@/ada.
    routed = [re.sub(r"{\w+}", "{}", address).replace("/@{}", "/@/{}") for address in addresses]
    assert [address for address in routed if address not in paths] == []
    requested = {
        call.args[0].value
        for tree in trees().values()
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "link" and "modules" in ast.unparse(call.func)
        if isinstance(call.args[0], ast.Constant)
    }
    for path in SOURCE.rglob("templates/**/*.html"):
        requested |= set(re.findall(r"""\blink\(["'](\w+)["']""", path.read_text("utf-8")))
    assert requested == {name for module in ALL for name, _ in module.links}
    assert installed.link("nothing") is None
