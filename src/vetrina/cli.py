"""The command line: the commands of no module, and those of the modules."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

import vetrina
from vetrina import demo, modules
from vetrina.core.command_line import exit_codes as exits

OWN = {
    "up": "Run everything: PostgreSQL, migrations, web processes and workers.",
    "serve": "Run one web process.",
    "worker": "Run one worker process.",
    "migrate": "Bring the database up to date.",
    "doctor": "List every setting, and check database, storage and engines.",
    "verify": "Prove every balance from the ledger.",
    "conform": "Select every table and column that the documents name.",
}
GROUPS = {"db": "The database: its address, a shell on it, dump and restore."}
"""Commands of several verbs, each group in a file of `commands`."""


def create() -> App:
    """The whole of it. A command's file is imported when the command is run, so that the short ones are quick."""
    app = App(
        name="vetrina",
        help=vetrina.__doc__,
        help_epilogue=exits.HELP,
        help_format="plaintext",
        version=vetrina.__version__,
    )
    for name, about in OWN.items():
        app.command(f"vetrina.commands.{name}:{name}", name=name, help=about)
    for name, about in GROUPS.items():
        app.command(f"vetrina.commands.{name}:app", name=name, help=about)
    for command in (command for module in (*modules.MODULES, demo.MODULE) for command in module.commands):
        app.command(command.target, name=command.name, help=command.help)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code (`core/command_line/exit_codes.py`). Expected failures are told in one message on stderr."""
    try:
        found = create()(arguments, result_action="return_value", exit_on_error=False)
    except KeyboardInterrupt:
        return 130
    except CycloptsError:
        return exits.USAGE  # cyclopts has told what is wrong
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else exits.FAILED
    except Exception as error:
        code = exits.code_of(error)
        if code is None:
            raise
        print(f"vetrina: {str(error).strip()}", file=sys.stderr)
        return code
    return found if isinstance(found, int) else exits.OK
