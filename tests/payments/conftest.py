"""Stripe, imitated, and a site that sells through it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.fakes.stripe import StripeFake
from tests.payments.stripe_helpers import selling
from tests.server import Site
from vetrina.core.settings.environment import Settings


@pytest.fixture
def stripe() -> Iterator[StripeFake]:
    """An account at Stripe."""
    with StripeFake() as fake:
        yield fake


@pytest_asyncio.fixture
async def shop_site(settings: Settings, database: str, stripe: StripeFake) -> AsyncIterator[Site]:
    """A site that sells through it."""
    async with selling(settings, database, stripe) as site:
        yield site
