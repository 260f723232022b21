"""Profiles with portraits: a person's avatar and a business logo, from the account's library."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from vetrina.accounts.profiles import actions as profiles
from vetrina.accounts.profiles.model import BusinessFacts, ProfileChange
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.services import Services
from vetrina.media import links
from vetrina.media.links import FileFacts
from vetrina.media.portraits import queries
from vetrina.media.portraits.model import ProfileRow

Face = Literal["avatar", "logo"]
SIZE = 320
"""The long side of a portrait's thumbnail in pixels. The original keeps its visibility."""


class Portrait(msgspec.Struct, frozen=True):
    """A portrait. The URL of a private image expires after two hours."""

    url: str
    width: int
    height: int
    colour: str = msgspec.field(name="dominant_color")


class Business(msgspec.Struct, frozen=True, kw_only=True):
    """A business profile. `is_verified` is set by an operator."""

    business_name: str
    bio: str | None
    profile_info: dict[str, Any]
    contact_info: dict[str, Any]
    social_links: dict[str, str]
    is_verified: bool
    logo: Portrait | None


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """The public profile of an account. `verified_domains` are verified by DNS."""

    handle: str | None
    kind: str
    name: str | None
    bio: str | None
    avatar: Portrait | None
    business: Business | None
    verified_domains: list[str]
    joined_at: datetime


async def change(tx: Tx, account: AccountId, kind: str, change_: ProfileChange) -> None:
    """Change a profile and its portraits.

    Raises the errors of `accounts.profiles.change`, and NotFound (404) for a foreign file.
    """
    await profiles.change(tx, account, kind, change_)
    pictures: tuple[tuple[Face, UUID | UnsetType | None], ...] = (("avatar", change_.avatar), ("logo", change_.logo))
    for face, file_id in pictures:
        if file_id is not UNSET:
            await set_portrait(tx, account, face, file_id)
    if change_.business is None:
        await set_portrait(tx, account, "logo", None)


async def set_portrait(tx: Tx, account: AccountId, face: Face, file_id: UUID | None) -> None:
    """Set or remove a portrait. Raises NotFound (404) for a file of another account."""
    if file_id is None:
        await tx.execute(queries.REMOVE_PORTRAIT, account=account, face=face)
    else:
        await tx.fetch_one(queries.SET_PORTRAIT, account=account, face=face, file=file_id)


def profile(services: Services, row: ProfileRow) -> Profile:
    """Convert a row to the public profile."""
    facts = msgspec.convert(row.business, BusinessFacts) if row.business else None
    business = Business(**msgspec.structs.asdict(facts), logo=portrait(services, row.account_id, row.logo)) if facts else None
    vendor = row.kind == "vendor"
    return Profile(
        handle=row.handle,
        kind=row.kind,
        name=facts.business_name if vendor and facts else row.name,
        bio=facts.bio if vendor and facts else row.bio,
        avatar=portrait(services, row.account_id, row.avatar),
        business=business,
        verified_domains=row.verified_domains,
        joined_at=row.joined_at,
    )


def portrait(services: Services, account: UUID, stored: dict[str, Any] | None) -> Portrait | None:
    """Convert a file's facts to a portrait."""
    if stored is None:
        return None
    facts = msgspec.convert(stored, FileFacts)
    return Portrait(links.thumbnail_url(services, account, facts, SIZE), facts.width, facts.height, facts.colour)
