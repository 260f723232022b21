"""Profiles and business profiles: requests, rows, refusals."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from vetrina.core.errors import Refusal

Line = Annotated[str, msgspec.Meta(max_length=160)]
Address = Annotated[str, msgspec.Meta(max_length=300)]
Bio = Annotated[str, msgspec.Meta(max_length=2000)]


class ProfileInfo(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Description of a business. `website` is an https URL."""

    tagline: Line | None = None
    location: Line | None = None
    website: Address | None = None


class ContactInfo(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Public contact details of a business. `phone` is E.164."""

    email: Annotated[str, msgspec.Meta(max_length=254)] | None = None
    phone: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    address: Address | None = None


SocialLinks = Annotated[dict[str, Address], msgspec.Meta(max_length=12)]
"""https URLs by the name of the network."""


class BusinessChange(msgspec.Struct, forbid_unknown_fields=True):
    """Changes of a business profile; omitted fields stay. Objects are replaced whole."""

    business_name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | UnsetType = UNSET
    bio: Bio | UnsetType | None = UNSET
    profile_info: ProfileInfo | UnsetType = UNSET
    contact_info: ContactInfo | UnsetType = UNSET
    social_links: SocialLinks | UnsetType = UNSET


class ProfileChange(msgspec.Struct, forbid_unknown_fields=True):
    """Changes of a profile; omitted fields stay, null removes a value.

    `name` and `bio` are the user's, or the business's when the account is a vendor. A `business` of a user without one creates
    it and needs a `business_name`. `avatar` and `logo` are ids of the account's own files.
    """

    handle: Annotated[str, msgspec.Meta(max_length=64)] | UnsetType | None = UNSET
    name: Annotated[str, msgspec.Meta(max_length=200)] | UnsetType | None = UNSET
    bio: Bio | UnsetType | None = UNSET
    business: BusinessChange | UnsetType | None = UNSET
    avatar: UUID | UnsetType | None = UNSET
    logo: UUID | UnsetType | None = UNSET


class BusinessFacts(msgspec.Struct, frozen=True):
    """A business profile."""

    business_name: str
    bio: str | None
    profile_info: dict[str, Any]
    contact_info: dict[str, Any]
    social_links: dict[str, str]
    is_verified: bool


class BusinessBadge(msgspec.Struct, frozen=True):
    """Whether an operator has verified a business, and when."""

    business_name: str
    is_verified: bool
    verified_at: datetime | None


class InvalidHandle(Refusal):
    """A handle has 3 to 30 lower-case letters, digits, - and _, and begins and ends with a letter or digit."""

    status = 422
    constraint = "account_handle_shape"
    field = "handle"


class HandleTaken(Refusal):
    """This handle is taken."""

    status = 409
    constraint = "account_handle_taken"
    field = "handle"


class HandleReserved(Refusal):
    """This handle is reserved."""

    status = 422
    constraint = "account_handle_not_reserved"
    field = "handle"


class HandleChangedRecently(Refusal):
    """A handle can be changed once in 14 days."""

    status = 409
    constraint = "account_handle_changes_rarely"
    field = "handle"


class InvalidBio(Refusal):
    """This text is too long: 2000 characters at most."""

    status = 422
    constraint = "user_bio_length"
    field = "bio"


class InvalidBusinessBio(InvalidBio):
    """This text is too long: 2000 characters at most."""

    constraint = "vendor_bio_length"


class InvalidBusinessName(Refusal):
    """A business has a name of 1 to 200 characters."""

    status = 422
    constraint = "vendor_business_name_length"
    field = "business_name"


class ProfileTooLong(Refusal):
    """The business profile is too long."""

    status = 422
    constraint = "vendor_facts_are_short"


class InvalidLink(Refusal):
    """This is not an https URL that can be linked to."""

    status = 422
    field = "website"


class InvalidSocialLink(Refusal):
    """This is not a URL of that network."""

    status = 422
    field = "social_links"


class InvalidContact(Refusal):
    """This is not a usable address or phone number."""

    status = 422
    field = "contact_info"


class VendorProfileRequired(Refusal):
    """A vendor account always has a business profile."""

    status = 409


class BusinessProfileMissing(Refusal):
    """This account has no business profile."""

    status = 404


class UnknownTimeZone(Refusal):
    """There is no such time zone. Choose one from the list."""

    status = 422
    constraint = "account_time_zone_is_a_name"
    field = "time_zone"
