"""`vetrina doctor`: lists settings and checks the installation."""

from __future__ import annotations

import asyncio
import importlib
import inspect

from rich.console import Console
from rich.table import Table

from vetrina import modules
from vetrina.commands.doctor_checks import all_checks
from vetrina.core.checks import Check
from vetrina.core.command_line import exit_codes as exits
from vetrina.core.command_line import logs, output
from vetrina.core.settings import environment as settings
from vetrina.core.settings.environment import BadSetting, Settings

COLOURS = {"ok": "green", "warning": "yellow", "failure": "red"}


def doctor(*, json: bool = False) -> int:
    """List every setting with its value and the objects of a process, and check database, storage and engines.

    Exit code 1 if a check fails; 78 if a setting is invalid, without further checks.

    Args:
        json: Print the result as JSON.
    """
    try:
        config = settings.read()
        modules.of(config)
    except BadSetting as error:
        if json:
            checks = [Check("settings", "failure", line) for line in str(error).splitlines()]
            output.as_json({"healthy": False, "settings": [], "services": [], "checks": checks})
            return exits.SETTINGS
        raise
    logs.configure(config.log_format, "doctor")
    checks = asyncio.run(_checks(config))
    healthy = all(check.state != "failure" for check in checks)
    if json:
        output.as_json(
            {"healthy": healthy, "settings": settings.describe(config), "services": services(config), "checks": checks}
        )
    else:
        _show(config, checks)
    return exits.OK if healthy else exits.FAILED


async def _checks(config: Settings) -> list[Check]:
    return [check async for check in all_checks(config)]


def services(values: Settings) -> list[dict[str, str]]:
    """Return the classes that a process of these settings has one object of, each made when it is first needed."""
    rows: list[dict[str, str]] = []
    for module in modules.of(values):
        for target in module.services:
            path, _, name = target.partition(":")
            about = inspect.getdoc(getattr(importlib.import_module(path), name)) or ""
            rows.append({"module": module.name, "name": name, "path": path, "about": about.split("\n\n")[0].replace("\n", " ")})
    return rows


def _show(config: Settings, checks: list[Check]) -> None:
    console = Console()
    table = Table(title="Settings (environment variables)", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for title in ("variable", "value", "meaning"):
        table.add_column(title, overflow="fold", no_wrap=title == "variable")
    for row in settings.describe(config):
        table.add_row(row["variable"], row["value"], f"[dim]{row['about']}[/dim]")
    console.print(table)
    console.print()
    table = Table(title="Objects of a process", title_justify="left", box=None, padding=(0, 2, 0, 0), show_header=False)
    for row in services(config):
        table.add_row(row["module"], row["name"], f"[dim]{row['about']}[/dim]")
    console.print(table)
    console.print()
    table = Table(title="Checks", title_justify="left", box=None, padding=(0, 2, 0, 0), show_header=False)
    for check in checks:
        table.add_row(
            f"[{COLOURS[check.state]}]{check.state}[/]",
            check.name,
            f"{check.detail}. {check.action}" if check.action else check.detail,
        )
    console.print(table)
