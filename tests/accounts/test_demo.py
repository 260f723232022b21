"""`vetrina demo accounts` is true of a site in development, and says what to do on any other."""

from __future__ import annotations

import asyncio
from io import StringIO

import pytest
from rich.console import Console

from tests.server import Site
from vetrina.demo import accounts
from vetrina.demo.runner import Lie, Story


async def test_the_story_of_accounts_is_true(posting: Site) -> None:
    story = Story(posting.url, Console(file=StringIO()))
    await asyncio.to_thread(accounts.tell, story)
    assert story.checks >= 25


async def test_a_site_that_sends_its_letters_away_is_told_apart(site: Site) -> None:
    with pytest.raises(Lie, match="VETRINA_DEVELOPMENT"):
        await asyncio.to_thread(accounts.tell, Story(site.url, Console(file=StringIO())))
