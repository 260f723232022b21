"""`vetrina demo accounts` is true of a site in development, and says what to do on any other."""

from __future__ import annotations

import asyncio
from io import StringIO

import pytest
from rich.console import Console

from tests.server import Site
from vetrina.demo import accounts
from vetrina.demo.runner import CheckFailed, DemoRun


async def test_the_story_of_accounts_is_true(posting: Site) -> None:
    story = DemoRun(posting.url, Console(file=StringIO()))
    await asyncio.to_thread(accounts.run, story)
    assert story.checks >= 25


async def test_site_without_an_outbox_is_detected(site: Site) -> None:
    with pytest.raises(CheckFailed, match="VETRINA_DEVELOPMENT"):
        await asyncio.to_thread(accounts.run, DemoRun(site.url, Console(file=StringIO())))
