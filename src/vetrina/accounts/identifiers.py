"""E-mail addresses and phone numbers in the form in which accounts are found by them."""

from __future__ import annotations

import unicodedata

import msgspec
import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

from vetrina.accounts.model import Channel, InvalidEmail, InvalidPhone, OneIdentifier


class Identifier(msgspec.Struct, frozen=True):
    """An e-mail address or a phone number, normalized."""

    channel: Channel
    value: str

    @property
    def email(self) -> str | None:
        """The address; None for a phone number."""
        return self.value if self.channel == "email" else None

    @property
    def phone(self) -> str | None:
        """The number (E.164); None for an address."""
        return self.value if self.channel == "phone" else None


NO_IDENTIFIER = Identifier("email", "")
"""Belongs to no account."""


def parse_identifiers(email: str | None, phone: str | None, region: str) -> list[Identifier]:
    """Return the given identifiers, one or two. Raises OneIdentifier for none, InvalidEmail, InvalidPhone (422)."""
    identifiers: list[Identifier] = []
    if email is not None:
        identifiers.append(Identifier("email", normalize_email(email)))
    if phone is not None:
        identifiers.append(Identifier("phone", normalize_phone(phone, region)))
    if not identifiers:
        raise OneIdentifier
    return identifiers


def parse_identifier(email: str | None, phone: str | None, region: str) -> Identifier:
    """Return the only given identifier. Raises OneIdentifier, InvalidEmail, InvalidPhone (422)."""
    if (email is None) == (phone is None):
        raise OneIdentifier
    return parse_identifiers(email, phone, region)[0]


def normalize_email(email: str) -> str:
    """Return the address in lower case, its domain in ASCII (IDNA). Raises InvalidEmail (422).

    The local part is plain ASCII: no quotes, comments or separators, which mail software could read as another recipient. The
    domain has a dot, no final one, and is not reserved for special use (RFC 6761). The DNS is not asked.
    """
    try:
        address = validate_email(email.strip(), allow_smtputf8=False, check_deliverability=False).ascii_email
    except EmailNotValidError:
        raise InvalidEmail from None
    if address is None or len(address) > 254:
        raise InvalidEmail
    return address.lower()


def mailbox(identifier: Identifier) -> str:
    """Return what messages to an identifier are counted by: an address without its +tag, or the number."""
    if identifier.channel == "phone":
        return identifier.value
    local, _, domain = identifier.value.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def normalize_phone(phone: str, region: str) -> str:
    """Return the number as E.164, such as +989123456789; digits of any script are read. Raises InvalidPhone (422).

    `region` (ISO 3166, or "") applies to a number without a country code. Only the length is checked: numbering plans
    change more often than a table of them. It has to be the length of a whole number: one that can be dialled within its
    area only would become an address of somebody else.
    """
    text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in phone.strip())
    if text.startswith("00"):
        text = "+" + text[2:]
    try:
        number = phonenumbers.parse(text, region or None)
    except NumberParseException:
        raise InvalidPhone from None
    length = phonenumbers.is_possible_number_with_reason(number)
    if length == ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
        raise InvalidPhone("This number is not whole: write it with its area code, such as +98 912 345 6789.")
    if len(text) > 40 or number.extension or length != ValidationResult.IS_POSSIBLE:
        raise InvalidPhone
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
