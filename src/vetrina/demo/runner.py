"""Runner of demos over HTTP: prints every step and its checks; the first failed check ends it."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import httpx2
from rich.console import Console


class CheckFailed(Exception):
    """The site did not do what the demo expects."""


class DemoRun:
    """Prints steps and checks; `client` calls the site's API."""

    def __init__(self, address: str, console: Console) -> None:
        self.address = address
        self.console = console
        self.client = httpx2.Client(base_url=address, timeout=60, follow_redirects=False)
        self.checks = 0
        self._steps = 0

    @contextmanager
    def step(self, title: str) -> Generator[None]:
        """Run one step. Any failure in it ends the demo."""
        self._steps += 1
        self.console.print(f"\n[bold]{self._steps}. {title}[/bold]")
        started = time.perf_counter()
        try:
            yield
        except httpx2.HTTPError as error:
            raise CheckFailed(f"{self.address} did not answer: {error}") from error
        self.console.print(f"   [dim]{time.perf_counter() - started:.2f} s[/dim]")

    def check(self, what: str, holds: bool, found: Any = None) -> None:
        """Check that `what` holds. Raises CheckFailed with the value `found` instead."""
        if not holds:
            self.console.print(f"   [red]no[/red]  {what}")
            raise CheckFailed(f"{what}: found {found!r}" if found is not None else what)
        self.checks += 1
        self.console.print(f"   [green]yes[/green] {what}", highlight=False)

    def say(self, text: str) -> None:
        """Print a remark."""
        self.console.print(f"       {text}", highlight=False)

    def call(self, method: str, path: str, *, expect: int = 200, **arguments: Any) -> Any:
        """Call the API and return the decoded response. Raises CheckFailed for any status but `expect`."""
        answer = self.client.request(method, f"/api/v1{path}", **arguments)
        if answer.status_code != expect:
            raise CheckFailed(f"{method} {path} answered {answer.status_code} instead of {expect}: {answer.text[:300]}")
        return answer.json() if answer.content else None

    def sign_in(self, access_token: str) -> None:
        """Use this access token from now on."""
        self.client.headers["Authorization"] = f"Bearer {access_token}"

    def balance(self, asset: str = "token") -> tuple[int, int]:
        """Return (balance, held) of the account."""
        for item in self.call("GET", "/wallet")["balances"]:
            if item["asset"] == asset:
                return item["balance"], item["held"]
        return 0, 0
