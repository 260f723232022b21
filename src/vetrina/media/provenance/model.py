"""What a picture says about its origin, and what a reader of it finds out."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

SourceType = Literal["algorithmicMedia", "composite", "compositeWithTrainedAlgorithmicMedia", "trainedAlgorithmicMedia"]
"""Names in the IPTC vocabulary of digital source types, below `SOURCE_TYPES`."""
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
ASSERTION = "vetrina.origin"
"""Label of the assertion with the engine, the style and the hashes of the pictures that it was made from."""

LIBRARY: dict[str, Any] = {
    "builder": {"thumbnail": {"enabled": False}},  # one made a WebP of 777 KB 1.6 MB large
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
}
"""Settings of the C2PA library: no network, no thumbnails."""

State = Literal["none", "valid", "invalid"]
"""none: no credentials; valid: unchanged since it was signed, by any signer (no list of trusted ones is consulted);
invalid: changed since, or the signature does not hold."""


class Ingredient(msgspec.Struct, frozen=True):
    """A picture that another was made from: its role and the SHA-256 of its stored file, in hex."""

    role: str
    sha256: str


class Source(msgspec.Struct, frozen=True):
    """An ingredient with its bytes, at signing."""

    role: str
    data: bytes


class Origin(msgspec.Struct, frozen=True):
    """How a picture was made, at signing."""

    engine: str
    style: str
    source_type: SourceType
    sources: list[Source]


class Problem(msgspec.Struct, frozen=True):
    """A check that failed: the standard's code and its explanation."""

    code: str
    explanation: str


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """The Content Credentials of a file, as read and checked.

    `own` says that this site's certificate signed them; of another signer `signed_by` is only its claim. `source_type`
    is the last part of the IPTC address.
    """

    state: State
    own: bool = False
    software: str = ""
    engine: str = ""
    style: str = ""
    source_type: str = ""
    ingredients: list[Ingredient] = []
    signed_by: str = ""
    problems: list[Problem] = []
