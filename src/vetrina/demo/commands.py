"""`vetrina demo NAME`: complete scenarios on real input over HTTP, step by step."""

from __future__ import annotations

import time
from collections.abc import Callable

from cyclopts import App
from rich.console import Console

from vetrina.core.command_line import exit_codes as exits
from vetrina.core.settings.environment import read
from vetrina.demo import accounts as accounts_demo
from vetrina.demo import cogento as cogento_demo
from vetrina.demo import gallery as gallery_demo
from vetrina.demo import messaging as messaging_demo
from vetrina.demo import operations, operator
from vetrina.demo import payments as payments_demo
from vetrina.demo import seed as seeding
from vetrina.demo import studio as studio_demo
from vetrina.demo.chapters import albums as albums_demo
from vetrina.demo.chapters import stayler as stayler_demo
from vetrina.demo.runner import CheckFailed, DemoRun

app = App(name="demo", help="Stories on real input against a running site; they stop at the first failure.")


@app.command
def studio(*, url: str | None = None) -> int:
    """Sign up, buy tokens, upload photographs, generate and download a picture.

    Args:
        url: The site's address; by default the one in the settings.
    """
    return _run(studio_demo.run, url)


@app.command
def accounts(*, url: str | None = None) -> int:
    """Sign-in, codes, password reset, second factor, profiles and privacy; needs a development site's outbox.

    Args:
        url: The site's address; by default the one in the settings.
    """
    return _run(accounts_demo.run, url)


@app.command
def payments(*, url: str | None = None) -> int:
    """Packs through every gateway, a plan over several months, refused payments, and the ledger check.

    Args:
        url: The site's address; by default the one in the settings.
    """
    return _run(payments_demo.run, url)


@app.command
def cogento(*, url: str | None = None) -> int:
    """Deliver a year of Stripe events out of order and compare the reports with the expected figures.

    Args:
        url: The site's address; by default the one in the settings.
    """
    return _run(lambda demo: cogento_demo.run(demo, read()), url)


@app.command
def gallery(*, url: str | None = None) -> int:
    """Post three pictures, follow, like, comment, block; write about a post, answer, hide and delete the conversation.

    Args:
        url: The site's address; by default the one in the settings.
    """
    return _run(_gallery, url)


@app.command
def stayler(*, url: str | None = None) -> int:
    """Phone and code, free conversions, a plan through ZarinPal, a business's eleventh image, a token used twice.

    Args:
        url: The site's address; by default the one in the settings.
    """
    return _run(stayler_demo.run, url)


@app.command
def seed(*, url: str | None = None) -> int:
    """Create an account with finished work and an operator, once per data folder, and print how to sign in.

    Args:
        url: The site's address; by default the one in the settings.
    """
    console = Console()
    settings = read()
    try:
        console.print("The demo account and its pictures are being made...", highlight=False)
        login = seeding.seed(DemoRun(url or settings.address, console), settings.data)
        gallery_demo.seed(DemoRun(url or settings.address, console), settings.data, login)
        messaging_demo.seed(DemoRun(url or settings.address, console), settings.data, login)
        albums_demo.seed(DemoRun(url or settings.address, console), settings.data)
        run_by = operator.create_operator(DemoRun(url or settings.address, console), settings)
        operations.seed(DemoRun(url or settings.address, console), settings, run_by, login)
    except CheckFailed as failure:
        console.print(f"[red]The demo account could not be created:[/red] {failure}", highlight=False)
        return exits.FAILED
    console.print(f"Vetrina:      {settings.public_url or url or settings.address}", highlight=False)
    console.print(f"Demo account: {login.email}, password {login.password}", highlight=False)
    console.print(f"Operator:     {run_by.email}, password {run_by.password}", highlight=False)
    return exits.OK


def _gallery(demo: DemoRun) -> None:
    gallery_demo.run(demo)
    messaging_demo.run(demo)


def _run(run: Callable[[DemoRun], None], url: str | None) -> int:
    """Run a demo to its end or its first failed check; return the exit code."""
    console = Console()
    demo = DemoRun(url or read().address, console)
    started = time.monotonic()
    try:
        run(demo)
    except CheckFailed as failure:
        console.print(f"\n[red]Check failed:[/red] {failure}", highlight=False)
        return exits.FAILED
    seconds = time.monotonic() - started
    console.print(f"\n[green]All checks passed:[/green] {demo.checks} checks in {seconds:.1f} s", highlight=False)
    return exits.OK
