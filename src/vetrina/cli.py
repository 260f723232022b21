"""The command line: general commands, and those of the modules."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

import vetrina
from vetrina import demo, modules
from vetrina.core.command_line import exit_codes

COMMANDS = {
    "up": "Run everything: PostgreSQL, migrations, web processes and workers.",
    "serve": "Run one web process.",
    "worker": "Run one worker process.",
    "migrate": "Apply database migrations.",
    "doctor": "List every setting, and check database, storage and engines.",
    "profile": "Show which documented system the site is run as, and apply its settings.",
    "verify": "Verify every balance against the ledger.",
    "conform": "Prove that everything the documents name holds.",
}
GROUPS = {"db": "Show the database's address, open psql, dump and restore."}
"""Command groups, each in a file of `commands`."""


def create() -> App:
    """Return the application. A command's file is imported when the command runs, so that short commands start quickly."""
    app = App(
        name="vetrina",
        help=vetrina.__doc__,
        help_epilogue=exit_codes.HELP,
        help_format="plaintext",
        version=vetrina.__version__,
    )
    for name, about in COMMANDS.items():
        app.command(f"vetrina.commands.{name}:{name}", name=name, help=about)
    for name, about in GROUPS.items():
        app.command(f"vetrina.commands.{name}:app", name=name, help=about)
    for command in (command for module in (*modules.MODULES, demo.MODULE) for command in module.commands):
        app.command(command.target, name=command.name, help=command.help)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (`core/command_line/exit_codes.py`).

    Expected failures print one message on stderr.
    """
    try:
        result = create()(arguments, result_action="return_value", exit_on_error=False)
    except KeyboardInterrupt:
        return 130
    except CycloptsError:
        return exit_codes.USAGE  # cyclopts has printed the error
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else exit_codes.FAILED
    except Exception as error:
        code = exit_codes.code_of(error)
        if code is None:
            raise
        print(f"vetrina: {str(error).strip()}", file=sys.stderr)
        return code
    return result if isinstance(result, int) else exit_codes.OK
