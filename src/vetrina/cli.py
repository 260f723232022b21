"""The command line: it lists the commands, nothing else."""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from pathlib import Path

from cyclopts import App, CycloptsError

import vetrina
from vetrina.commands import exits

OWN = {
    "up": "Run everything: PostgreSQL, migrations, web processes and workers.",
    "serve": "Run one web process.",
    "worker": "Run one worker process.",
    "migrate": "Bring the database up to date.",
    "doctor": "List every setting, and check database, storage and engines.",
    "verify": "Prove every balance from the ledger.",
    "members": "List members by their metadata.",
    "conform": "Select every table and column that the documents name.",
}
GROUPS = {
    "webhooks": "What Stripe told, and applying it again.",
    "account": "Accounts: roles, disabling, signing out.",
    "audit": "The audit log: its proof.",
    "db": "The database: its address, a shell on it.",
    "packs": "Packs of credits: what is for sale, at which price.",
    "payments": "Payments: what the gateways know of them.",
    "quota": "Plans and quotas: what an account may still do, and why not.",
    "stripe": "The Stripe mirror: fill it, prove it, see how it stands.",
    "report": "Reports on what Stripe holds, as of any date.",
    "settings": "What can be changed while the site runs: rate limits, gifts.",
}
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
    for file in sorted(Path(__file__).parent.glob("*/commands.py")):
        about = (ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "").partition("\n")[0]
        app.command(f"vetrina.{file.parent.name}.commands:app", name=file.parent.name, help=about)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code (`commands/exits.py`). Expected failures are told in one message on stderr."""
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
