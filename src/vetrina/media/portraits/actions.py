"""Profiles with their pictures: the avatar of a person, the logo of a business, both from the account's own library."""

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
from vetrina.media.portraits import queries as queries_profiles
from vetrina.media.portraits.model import ProfileRow

Face = Literal["avatar", "logo"]
SIZE = 320
"""The long side, in pixels, of the thumbnail that a portrait is; the picture itself stays as private as it is."""


class Portrait(msgspec.Struct, frozen=True):
    """A person's or a business's picture. The address of a private one expires after two hours."""

    url: str
    width: int
    height: int
    colour: str


class Business(msgspec.Struct, frozen=True, kw_only=True):
    """A business face. `is_verified` is an operator's word for it."""

    business_name: str
    bio: str | None
    profile_info: dict[str, Any]
    contact_info: dict[str, Any]
    social_links: dict[str, str]
    is_verified: bool
    logo: Portrait | None


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What everybody may see of an account. `verified_domains` are proven by DNS."""

    handle: str | None
    kind: str
    name: str | None
    bio: str | None
    avatar: Portrait | None
    business: Business | None
    verified_domains: list[str]
    joined_at: datetime


async def change(tx: Tx, account: AccountId, kind: str, wanted: ProfileChange) -> None:
    """Keep what is given, the pictures too. Raises as `accounts.profiles.change`, and NotFound (404) for another's file."""
    await profiles.change(tx, account, kind, wanted)
    pictures: tuple[tuple[Face, UUID | UnsetType | None], ...] = (("avatar", wanted.avatar), ("logo", wanted.logo))
    for face, file_id in pictures:
        if file_id is not UNSET:
            await show(tx, account, face, file_id)
    if wanted.business is None:
        await show(tx, account, "logo", None)


async def show(tx: Tx, account: AccountId, face: Face, file_id: UUID | None) -> None:
    """Use this file of the account's, or none. Raises NotFound (404)."""
    if file_id is None:
        await tx.do(queries_profiles.REMOVE_PORTRAIT, account=account, face=face)
    else:
        await tx.one(queries_profiles.SET_PORTRAIT, account=account, face=face, file=file_id)


def profile(services: Services, row: ProfileRow) -> Profile:
    """The row with its pictures' addresses."""
    facts = msgspec.convert(row.business, BusinessFacts) if row.business else None
    business = (
        Business(**msgspec.structs.asdict(facts), logo=portrait(services, row.account_id, row.logo)) if facts else None
    )
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


def portrait(services: Services, account: UUID, found: dict[str, Any] | None) -> Portrait | None:
    """The picture's thumbnail."""
    if found is None:
        return None
    facts = msgspec.convert(found, FileFacts)
    return Portrait(links.thumbnail_url(services, account, facts, SIZE), facts.width, facts.height, facts.colour)
