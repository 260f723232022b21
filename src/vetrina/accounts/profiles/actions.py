"""The rules of profiles: handles, names, the business face and its badge."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import idna
import phonenumbers
from msgspec import UNSET, to_builtins
from psycopg.types.json import Jsonb

from vetrina.accounts.model import InvalidName
from vetrina.accounts.profiles import queries as queries_profiles
from vetrina.accounts.profiles.model import (
    BusinessChange,
    BusinessProfileMissing,
    ContactInfo,
    InvalidBusinessName,
    InvalidContact,
    InvalidLink,
    InvalidSocialLink,
    ProfileChange,
    ProfileInfo,
    VendorProfileRequired,
)
from vetrina.core import usage
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId

NETWORKS: dict[str, tuple[str, tuple[str, ...]]] = {
    "instagram": ("Instagram", ("instagram.com",)),
    "facebook": ("Facebook", ("facebook.com", "fb.com")),
    "tiktok": ("TikTok", ("tiktok.com",)),
    "youtube": ("YouTube", ("youtube.com", "youtu.be")),
    "x": ("X", ("x.com", "twitter.com")),
    "pinterest": ("Pinterest", ("pinterest.com",)),
    "linkedin": ("LinkedIn", ("linkedin.com",)),
    "telegram": ("Telegram", ("t.me", "telegram.me")),
    "whatsapp": ("WhatsApp", ("wa.me", "whatsapp.com")),
    "behance": ("Behance", ("behance.net",)),
    "etsy": ("Etsy", ("etsy.com",)),
    "mastodon": ("Mastodon", ()),
}
"""What can be linked to: its title, and the hosts that it has (none: any)."""


async def change(tx: Tx, account: AccountId, kind: str, wanted: ProfileChange) -> None:
    """Keep what is given of handle, name, bio and business; the pictures are `media`'s.

    Raises InvalidHandle, HandleReserved, InvalidName, InvalidBio, InvalidBusinessName, InvalidLink, InvalidSocialLink,
    InvalidContact (422), HandleTaken, HandleChangedRecently, VendorProfileRequired (409).
    """
    if wanted.handle is not UNSET:
        handle = (wanted.handle or "").strip().removeprefix("@").lower() or None
        await tx.do(queries_profiles.SET_HANDLE, account=account, handle=handle)
    business = wanted.business
    if kind == "vendor":
        if business is None:
            raise VendorProfileRequired
        # A vendor's name and bio are those of the business.
        business = business if business is not UNSET else BusinessChange()
        if wanted.name is not UNSET:
            business.business_name = (wanted.name or "").strip()
        if wanted.bio is not UNSET:
            business.bio = wanted.bio
    else:
        if wanted.name is not UNSET:
            name = (wanted.name or "").strip()
            if len(name) > 120:
                raise InvalidName
            await tx.do(queries_profiles.SET_NAME, account=account, name=name or None)
        if wanted.bio is not UNSET:
            await tx.do(queries_profiles.SET_BIO, account=account, bio=(wanted.bio or "").strip() or None)
        if business is None:
            await tx.do(queries_profiles.REMOVE_BUSINESS, account=account)
    if business is not None and business is not UNSET:
        await _change_business(tx, account, business)
    await usage.record(tx, account, "profile_changed", {})


async def verify_vendor(tx: Tx, account: UUID, *, verified: bool = True) -> None:
    """Give the business the badge, or take it away. For operators. Raises BusinessProfileMissing (404)."""
    if await tx.maybe(queries_profiles.VERIFY_BUSINESS, account=account, verified=verified) is None:
        raise BusinessProfileMissing


async def _change_business(tx: Tx, account: AccountId, wanted: BusinessChange) -> None:
    given: dict[str, Any] = {
        "business_name": None if wanted.business_name is UNSET else wanted.business_name.strip(),
        "bio": None if wanted.bio is UNSET else (wanted.bio or "").strip(),
        "profile_info": None if wanted.profile_info is UNSET else Jsonb(to_builtins(tidy_info(wanted.profile_info))),
        "contact_info": None if wanted.contact_info is UNSET else Jsonb(to_builtins(tidy_contact(wanted.contact_info))),
        "social_links": None if wanted.social_links is UNSET else Jsonb(tidy_links(wanted.social_links)),
    }
    if await tx.maybe(queries_profiles.CHANGE_BUSINESS, account=account, **given) is None:
        if not given["business_name"]:
            raise InvalidBusinessName
        await tx.do(queries_profiles.ADD_BUSINESS, account=account, **given)
        await usage.record(tx, account, "business_added", {})


def tidy_info(info: ProfileInfo) -> ProfileInfo:
    """Without empty lines. Raises InvalidLink (422)."""
    website = _line(info.website)
    return ProfileInfo(_line(info.tagline), _line(info.location), link(website) if website else None)


def tidy_contact(contact: ContactInfo) -> ContactInfo:
    """Without empty lines, the phone as E.164. Raises InvalidContact (422)."""
    email, phone = _line(contact.email), _line(contact.phone)
    if email and ("@" not in email.strip("@") or any(c.isspace() or not c.isprintable() for c in email)):
        raise InvalidContact("This does not look like an e-mail address.")
    if phone:
        try:
            number = phonenumbers.parse(phone, None)
        except phonenumbers.NumberParseException:
            raise InvalidContact("Write the phone number with its country, such as +98 912 345 6789.") from None
        if not phonenumbers.is_possible_number(number):
            raise InvalidContact("There is no such phone number.")
        phone = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return ContactInfo(email, phone, _line(contact.address))


def tidy_links(links: dict[str, str]) -> dict[str, str]:
    """Without empty ones, in the house's order. Raises InvalidSocialLink (422) for a network or an address that does not fit."""
    if unknown := set(links) - set(NETWORKS):
        raise InvalidSocialLink(f"{min(unknown)} is none of {', '.join(NETWORKS)}.", network=min(unknown))
    found: dict[str, str] = {}
    for network, (title, hosts) in NETWORKS.items():
        if not (written := links.get(network, "").strip()):
            continue
        try:
            address = link(written)
        except InvalidLink:
            raise InvalidSocialLink(f"This is not an https address at {title}.", network=network) from None
        host = str(urlsplit(address).hostname)
        if hosts and not any(host == each or host.endswith(f".{each}") for each in hosts):
            raise InvalidSocialLink(f"This is not an address at {title}.", network=network)
        found[network] = address
    return found


def link(written: str) -> str:
    """An https address that may be linked to, its host in ASCII. Raises InvalidLink (422)."""
    text = written.strip()
    try:
        parts = urlsplit(text if "//" in text else f"https://{text}")
        host = idna.encode(parts.hostname or "", uts46=True, std3_rules=True).decode()
        fine = parts.scheme == "https" and "." in host and parts.port is None and not parts.username
    except (ValueError, UnicodeError):
        raise InvalidLink from None
    if not fine or len(text) > 300 or not text.isprintable() or any(c in text for c in " <>\"'`\\") or _is_an_address(host):
        raise InvalidLink
    return parts._replace(netloc=host).geturl()


def proven(address: str | None, domains: list[str]) -> bool:
    """Whether an address is on one of these domains."""
    host = urlsplit(address or "").hostname or ""
    return any(host == each or host.endswith(f".{each}") for each in domains)


def _line(text: str | None) -> str | None:
    return (text or "").strip() or None


def _is_an_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.rpartition(".")[2].isdecimal()
    return True
