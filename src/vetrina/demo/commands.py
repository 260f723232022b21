"""`vetrina demo NAME`: a system's whole story on real input, told over HTTP step by step."""

from __future__ import annotations

import time
from collections.abc import Callable

from cyclopts import App
from rich.console import Console

from vetrina.core.command_line import exit_codes as exits
from vetrina.core.settings import read
from vetrina.demo import accounts as accounts_story
from vetrina.demo import cogento as cogento_story
from vetrina.demo import operator
from vetrina.demo import payments as payments_story
from vetrina.demo import seed as seeding
from vetrina.demo import studio as studio_story
from vetrina.demo.runner import Lie, Story

app = App(name="demo", help="Stories on real input against a running site; they stop at the first lie.")


@app.command
def studio(*, url: str | None = None) -> int:
    """Sign up, top up, upload, generate, look: the studio's whole story.

    Parameters
    ----------
    url
        The site's address; the one that the settings give by default.
    """
    return _tell(studio_story.tell, url)


@app.command
def accounts(*, url: str | None = None) -> int:
    """The ways in, codes, resets, the second factor: read from a development site's outbox.

    Parameters
    ----------
    url
        The site's address; the one that the settings give by default.
    """
    return _tell(accounts_story.tell, url)


@app.command
def payments(*, url: str | None = None) -> int:
    """Packs through every gateway, a plan month by month, denials, the books: the money's whole story.

    Parameters
    ----------
    url
        The site's address; the one that the settings give by default.
    """
    return _tell(payments_story.tell, url)


@app.command
def cogento(*, url: str | None = None) -> int:
    """A membership's year at Stripe arrives in no order, and the reports tell it as it was.

    Parameters
    ----------
    url
        The site's address; the one that the settings give by default.
    """
    return _tell(lambda story: cogento_story.tell(story, read()), url)


@app.command
def seed(*, url: str | None = None) -> int:
    """An account with finished work and an operator's, made once for a data folder; prints how to sign in to them.

    Parameters
    ----------
    url
        The site's address; the one that the settings give by default.
    """
    console = Console()
    settings = read()
    try:
        login = seeding.seed(Story(url or settings.address, console), settings.data)
        run_by = operator.appoint(Story(url or settings.address, console), settings)
    except Lie as lie:
        console.print(f"[red]The demo account could not be made:[/red] {lie}", highlight=False)
        return exits.FAILED
    console.print(f"Demo account: {login.email}, password {login.password}", highlight=False)
    console.print(f"Operator: {run_by.email}, password {run_by.password}", highlight=False)
    return exits.OK


def _tell(tell: Callable[[Story], None], url: str | None) -> int:
    """Tell a story to its end, or to its first lie."""
    console = Console()
    story = Story(url or read().address, console)
    started = time.monotonic()
    try:
        tell(story)
    except Lie as lie:
        console.print(f"\n[red]The story is not true:[/red] {lie}", highlight=False)
        return exits.FAILED
    seconds = time.monotonic() - started
    console.print(f"\n[green]All of it is so:[/green] {story.checks} checks in {seconds:.1f} s", highlight=False)
    return exits.OK
