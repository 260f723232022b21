"""What a module adds to the application, in one declared object.

Each module's package declares `MODULE`, and `vetrina.modules` lists them. Files of code are named by dotted path and imported
when they are used, so that declaring costs nothing: a short command imports no web framework, a web process no worker.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Command:
    """A command of the command line: `target` is what it runs ("vetrina.payments.commands:app"), `help` its line of help."""

    name: str
    target: str
    help: str


@dataclass(frozen=True)
class Module:
    """What one module adds. A path of a file with routes names a list `ROUTES` in it."""

    name: str
    requires: tuple[str, ...] = ()
    """Modules without which it cannot be served."""
    api: tuple[str, ...] = ()
    """Files with routes that are mounted under /api/v1."""
    pages: tuple[str, ...] = ()
    """Files with pages and other routes that are mounted as they are, such as webhooks and streams."""
    jobs: tuple[str, ...] = ()
    """Files that declare background jobs."""
    commands: tuple[Command, ...] = ()
    personal_data: str = ""
    """The file whose `PART` says what an export holds of the module's tables and what an erasure deletes."""
    home: str = ""
    """The page that the site starts with; `vetrina.modules.HOMES` says which module is asked first."""

    def api_routes(self) -> list[Any]:
        """Return the handlers of the module's API."""
        return _routes(self.api)

    def page_routes(self) -> list[Any]:
        """Return the handlers of the module's pages."""
        return _routes(self.pages)

    def declare_jobs(self) -> None:
        """Import the files that declare jobs, which makes the job queue know them."""
        for path in self.jobs:
            importlib.import_module(path)


@dataclass(frozen=True)
class Modules:
    """The modules of a process: all that are installed, from the bottom of the stair up, and those that it serves."""

    installed: tuple[Module, ...] = ()
    loaded: tuple[Module, ...] = ()

    def __iter__(self) -> Iterator[Module]:
        return iter(self.loaded)

    def loads(self, name: str) -> bool:
        """Return whether the module's routes and jobs are loaded."""
        return any(module.name == name for module in self.loaded)


def _routes(paths: tuple[str, ...]) -> list[Any]:
    return [route for path in paths for route in importlib.import_module(path).ROUTES]
