"""Profiles and business faces: what one may write, rows, refusals."""

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
    """What a business says of itself. `website` is an https address."""

    tagline: Line | None = None
    location: Line | None = None
    website: Address | None = None


class ContactInfo(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """How a business is reached; everybody can see it. `phone` is E.164."""

    email: Annotated[str, msgspec.Meta(max_length=254)] | None = None
    phone: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    address: Address | None = None


SocialLinks = Annotated[dict[str, Address], msgspec.Meta(max_length=12)]
"""The network's name to an https address there."""


class BusinessChange(msgspec.Struct, forbid_unknown_fields=True):
    """What may be changed of a business face; what is left out stays. The lists are replaced whole."""

    business_name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | UnsetType = UNSET
    bio: Bio | None | UnsetType = UNSET
    profile_info: ProfileInfo | UnsetType = UNSET
    contact_info: ContactInfo | UnsetType = UNSET
    social_links: SocialLinks | UnsetType = UNSET


class ProfileChange(msgspec.Struct, forbid_unknown_fields=True):
    """What may be changed of a profile; what is left out stays, null takes it away.

    `name` and `bio` are the person's, or the business's when the account is a vendor's. A `business` of a user that has none
    makes one, for which it needs a `business_name`. `avatar` and `logo` are ids of the account's own files.
    """

    handle: Annotated[str, msgspec.Meta(max_length=64)] | None | UnsetType = UNSET
    name: Annotated[str, msgspec.Meta(max_length=200)] | None | UnsetType = UNSET
    bio: Bio | None | UnsetType = UNSET
    business: BusinessChange | None | UnsetType = UNSET
    avatar: UUID | None | UnsetType = UNSET
    logo: UUID | None | UnsetType = UNSET


class BusinessFacts(msgspec.Struct, frozen=True):
    """A business face as it is kept."""

    business_name: str
    bio: str | None
    profile_info: dict[str, Any]
    contact_info: dict[str, Any]
    social_links: dict[str, str]
    is_verified: bool


class BusinessBadge(msgspec.Struct, frozen=True):
    """Whether an operator has vouched for a business, and since when."""

    business_name: str
    is_verified: bool
    verified_at: datetime | None


class InvalidHandle(Refusal):
    """A handle has 3 to 30 small letters, figures, - and _, and begins and ends with a letter or figure."""

    status = 422
    constraint = "account_handle_shape"
    field = "handle"


class HandleTaken(Refusal):
    """This handle is somebody's."""

    status = 409
    constraint = "account_handle_taken"
    field = "handle"


class HandleReserved(Refusal):
    """This handle is kept for the house."""

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
    """That is more than a business face can hold."""

    status = 422
    constraint = "vendor_facts_are_short"


class InvalidLink(Refusal):
    """This is not an https address that can be linked to."""

    status = 422
    field = "website"


class InvalidSocialLink(Refusal):
    """This is not an address of that network."""

    status = 422
    field = "social_links"


class InvalidContact(Refusal):
    """This is no address or phone number that people could use."""

    status = 422
    field = "contact_info"


class VendorProfileRequired(Refusal):
    """A vendor's account is its business: its face cannot be taken away."""

    status = 409


class BusinessProfileMissing(Refusal):
    """This account has no business face."""

    status = 404
