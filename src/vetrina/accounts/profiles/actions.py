"""Profile actions: handles, names, the business profile and its verification."""

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
from vetrina.accounts.profiles import queries
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
    UnknownTimeZone,
    VendorProfileRequired,
)
from vetrina.core import usage
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.web import i18n, time_zones

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
"""Social networks: label, and the hosts of its URLs (none: any)."""


async def change(tx: Tx, account: AccountId, kind: str, changes: ProfileChange) -> None:  # noqa: C901  # a branch for each field
    """Change handle, name, bio and business profile; `media` changes the pictures.

    Raises InvalidHandle, HandleReserved, InvalidName, InvalidBio, InvalidBusinessName, InvalidLink, InvalidSocialLink,
    InvalidContact (422), HandleTaken, HandleChangedRecently, VendorProfileRequired (409).
    """
    if changes.handle is not UNSET:
        handle = (changes.handle or "").strip().removeprefix("@").lower() or None
        await tx.execute(queries.SET_HANDLE, account=account, handle=handle)
    business = changes.business
    if kind == "vendor":
        if business is None:
            raise VendorProfileRequired
        # Name and bio of a vendor are those of its business.
        business = business if business is not UNSET else BusinessChange()
        if changes.name is not UNSET:
            business.business_name = (changes.name or "").strip()
        if changes.bio is not UNSET:
            business.bio = changes.bio
    else:
        if changes.name is not UNSET:
            name = (changes.name or "").strip()
            if len(name) > 120:
                raise InvalidName
            await tx.execute(queries.SET_NAME, account=account, name=name or None)
        if changes.bio is not UNSET:
            await tx.execute(queries.SET_BIO, account=account, bio=(changes.bio or "").strip() or None)
        if business is None:
            await tx.execute(queries.REMOVE_BUSINESS, account=account)
    if business is not None and business is not UNSET:
        await _change_business(tx, account, business)
    await usage.record(tx, account, "profile_changed", {})


async def verify_vendor(tx: Tx, account: UUID, *, verified: bool = True) -> None:
    """Mark the business as verified or not, for operators. Raises BusinessProfileMissing (404)."""
    if await tx.fetch_optional(queries.VERIFY_BUSINESS, account=account, verified=verified) is None:
        raise BusinessProfileMissing


async def _change_business(tx: Tx, account: AccountId, changes: BusinessChange) -> None:
    columns: dict[str, Any] = {
        "business_name": None if changes.business_name is UNSET else changes.business_name.strip(),
        "bio": None if changes.bio is UNSET else (changes.bio or "").strip(),
        "profile_info": None if changes.profile_info is UNSET else Jsonb(to_builtins(normalize_info(changes.profile_info))),
        "contact_info": None if changes.contact_info is UNSET else Jsonb(to_builtins(normalize_contact(changes.contact_info))),
        "social_links": None if changes.social_links is UNSET else Jsonb(normalize_links(changes.social_links)),
    }
    if await tx.fetch_optional(queries.CHANGE_BUSINESS, account=account, **columns) is None:
        if not columns["business_name"]:
            raise InvalidBusinessName
        await tx.execute(queries.ADD_BUSINESS, account=account, **columns)
        await usage.record(tx, account, "business_added", {})


def normalize_info(info: ProfileInfo) -> ProfileInfo:
    """Return the description without empty values. Raises InvalidLink (422)."""
    website = _stripped(info.website)
    return ProfileInfo(_stripped(info.tagline), _stripped(info.location), normalize_url(website) if website else None)


def normalize_contact(contact: ContactInfo) -> ContactInfo:
    """Return the contact details without empty values, the phone as E.164. Raises InvalidContact (422)."""
    email, phone = _stripped(contact.email), _stripped(contact.phone)
    if email and ("@" not in email.strip("@") or any(c.isspace() or not c.isprintable() for c in email)):
        raise InvalidContact("This does not look like an e-mail address.")
    if phone:
        try:
            number = phonenumbers.parse(phone, None)
        except phonenumbers.NumberParseException:
            raise InvalidContact("Write the phone number with its country, such as +98 912 345 6789.") from None
        if not phonenumbers.is_possible_number(number):
            raise InvalidContact("This is not a possible phone number.")
        phone = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return ContactInfo(email, phone, _stripped(contact.address))


def normalize_links(links: dict[str, str]) -> dict[str, str]:
    """Return the links without empty ones, in our order. Raises InvalidSocialLink (422) for an unknown network or a wrong URL."""
    if unknown := set(links) - set(NETWORKS):
        raise InvalidSocialLink(f"{min(unknown)} is not one of {', '.join(NETWORKS)}.", network=min(unknown))
    normalized: dict[str, str] = {}
    for network, (title, hosts) in NETWORKS.items():
        if not (text := links.get(network, "").strip()):
            continue
        try:
            url = normalize_url(text)
        except InvalidLink:
            raise InvalidSocialLink(f"This is not an https URL at {title}.", network=network) from None
        host = str(urlsplit(url).hostname)
        if hosts and not any(host == allowed or host.endswith(f".{allowed}") for allowed in hosts):
            raise InvalidSocialLink(f"This is not a URL at {title}.", network=network)
        normalized[network] = url
    return normalized


def normalize_url(text: str) -> str:
    """Return an https URL that may be linked to, its host in ASCII. Raises InvalidLink (422)."""
    text = text.strip()
    try:
        parts = urlsplit(text if "//" in text else f"https://{text}")
        host = idna.encode(parts.hostname or "", uts46=True, std3_rules=True).decode()
        is_plain = parts.scheme == "https" and "." in host and parts.port is None and not parts.username
    except (ValueError, UnicodeError):
        raise InvalidLink from None
    if not is_plain or len(text) > 300 or not text.isprintable() or any(c in text for c in " <>\"'`\\") or _is_ip_address(host):
        raise InvalidLink
    return parts._replace(netloc=host).geturl()


def is_on_domain(url: str | None, domains: list[str]) -> bool:
    """Return whether a URL is on one of these domains."""
    host = urlsplit(url or "").hostname or ""
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def _stripped(text: str | None) -> str | None:
    return (text or "").strip() or None


def _is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.rpartition(".")[2].isdecimal()
    return True


async def set_time_zone(tx: Tx, account: AccountId, name: str) -> None:
    """Set the zone that the account's pages show times in; empty for the browser's. Raises UnknownTimeZone (422)."""
    if name and time_zones.named(name) is None:
        raise UnknownTimeZone
    await tx.execute(queries.SET_TIME_ZONE, account=account, zone=name or None)


async def set_language(tx: Tx, account: AccountId, language: i18n.Language | None) -> None:
    """Set the language of the account's pages and letters; None for the browser's."""
    await tx.execute(queries.SET_LANGUAGE, account=account, language=language)


async def is_tour_due(tx: Tx, account: AccountId) -> bool:
    """Return whether the studio's tour is still offered to the account."""
    return await tx.fetch_one(queries.TOUR_DUE, account=account)


async def end_tour(tx: Tx, account: AccountId) -> None:
    """Record that the account has seen or skipped the tour."""
    await tx.execute(queries.SET_TOUR, account=account, ended=True)


async def restart_tour(tx: Tx, account: AccountId) -> None:
    """Offer the tour to the account again."""
    await tx.execute(queries.SET_TOUR, account=account, ended=False)


async def rename(tx: Tx, account: AccountId, name: str) -> None:
    """Change or remove the account's name; a business keeps its name. Raises InvalidName (422)."""
    text = name.strip()
    if len(text) > 120:
        raise InvalidName
    await tx.execute(queries.RENAME, account=account, name=text or None)
