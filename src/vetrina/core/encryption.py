"""Encryption of secrets that wait in the database for a job, under the process's keys, so that a dump does not reveal them."""

from __future__ import annotations

import hashlib
from typing import Any, TypeVar

import msgspec
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

Value = TypeVar("Value")

_HEADER = {"alg": "dir", "enc": "A256GCM"}


class Broken(ValueError):
    """The token was not encrypted here, or its key is gone."""


def seal(keys: list[bytes], what: Any) -> str:
    """Return `what` as JSON, encrypted (JWE) under the newest key."""
    return jwe.encrypt_compact(_HEADER, msgspec.json.encode(what), _key(keys[0]))


def unseal(keys: list[bytes], text: str, kind: type[Value]) -> Value:
    """Decrypt `text` and decode it as a `kind`. Raises Broken."""
    for key in keys:
        try:
            plaintext = jwe.decrypt_compact(text, _key(key)).plaintext
            return msgspec.json.decode(plaintext or b"", type=kind)
        except (JoseError, ValueError, msgspec.DecodeError):
            continue
    raise Broken("this cannot be unsealed")


def _key(secret: bytes) -> OctKey:
    return OctKey.import_key(hashlib.sha256(b"seal" + secret).digest())
