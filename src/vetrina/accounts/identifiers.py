"""What an account is known by, as it is compared: an e-mail address, a phone number."""

from __future__ import annotations

import unicodedata
from typing import Literal

import msgspec
import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from vetrina.accounts.model import InvalidEmail
from vetrina.accounts.verification.model import InvalidPhone, OneIdentifier

Channel = Literal["email", "phone"]


class Identifier(msgspec.Struct, frozen=True):
    """One of the two, ready to be compared."""

    channel: Channel
    value: str

    @property
    def email(self) -> str | None:
        """The address, if it is one."""
        return self.value if self.channel == "email" else None

    @property
    def phone(self) -> str | None:
        """The number (E.164), if it is one."""
        return self.value if self.channel == "phone" else None


NOBODY = Identifier("email", "")
"""What nobody is known by."""


def given(email: str | None, phone: str | None, region: str) -> list[Identifier]:
    """One or both. Raises OneIdentifier, InvalidEmail, InvalidPhone (422)."""
    if email is None and phone is None:
        raise OneIdentifier
    found = [Identifier("email", normal(email))] if email is not None else []
    return [*found, *([Identifier("phone", e164(phone, region))] if phone is not None else [])]


def one(email: str | None, phone: str | None, region: str) -> Identifier:
    """The one that is given. Raises OneIdentifier, InvalidEmail, InvalidPhone (422)."""
    if (email is None) == (phone is None):
        raise OneIdentifier
    return given(email, phone, region)[0]


def normal(email: str) -> str:
    """The address as it is compared: trimmed, lower case. Raises InvalidEmail (422)."""
    address = email.strip().lower()
    local, _, domain = address.rpartition("@")
    plain = address.isprintable() and not any(c.isspace() for c in address)
    if not local or "." not in domain.strip(".") or not plain or "@" in local or len(address) > 254:
        raise InvalidEmail
    return address


def e164(phone: str, region: str) -> str:
    """The number as E.164, +989123456789; digits of any script. Raises InvalidPhone (422).

    `region` (ISO 3166, or "") is where a number without a country is. Only its length is judged: numbering plans
    change more often than a table of them, and whether a number is in use its network alone knows.
    """
    text = "".join(str(unicodedata.decimal(each)) if each.isdecimal() else each for each in phone.strip())
    if text.startswith("00"):
        text = "+" + text[2:]
    try:
        found = phonenumbers.parse(text, region or None)
    except NumberParseException:
        raise InvalidPhone from None
    if len(text) > 40 or found.extension or not phonenumbers.is_possible_number(found):
        raise InvalidPhone
    return phonenumbers.format_number(found, PhoneNumberFormat.E164)
