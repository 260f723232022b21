"""Reading Content Credentials back, in an isolated child: the file may come from anywhere."""

from __future__ import annotations

from typing import Any

import msgspec

from vetrina.core.isolation.run import IsolatedFailure, Limits, run_isolated
from vetrina.media.model import DamagedImage
from vetrina.media.processing.file_types import detect_kind
from vetrina.media.provenance.certificate import Certificate
from vetrina.media.provenance.model import ASSERTION, Ingredient, Problem, Provenance

LIMITS = Limits(memory_mb=1024, seconds=15)
_MIMES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WebP": "image/webp",
    "AVIF": "image/avif",
    "HEIC": "image/heic",
    "TIFF": "image/tiff",
    "GIF": "image/gif",
    "SVG": "image/svg+xml",
}
_UNTRUSTED = "signingCredential.untrusted"
"""The check that fails for every signer that is on no public list: not a problem of the file."""


def mime_of(data: bytes) -> str | None:
    """Return the MIME type of a file that can carry credentials, by its first bytes."""
    return _MIMES.get(detect_kind(data[:4096]) or "")


async def read(data: bytes, own: Certificate | None) -> Provenance:
    """Return what the file's credentials say and what of them holds. `own` is the site's certificate.

    Raises DamagedImage (422) for a file that cannot be read; one without credentials is no error.
    """
    mime = mime_of(data)
    if mime is None:
        return Provenance(state="none")
    try:
        payload = {"data": data, "mime": mime, "own": own.chain if own else ""}
        answer = await run_isolated("vetrina.media.provenance.inspection:inspect", payload, limits=LIMITS)
    except IsolatedFailure as failure:
        raise DamagedImage("The file's credentials cannot be read.") from failure
    if not answer["found"]:
        return Provenance(state="none")
    return _provenance(msgspec.json.decode(answer["report"]), own)


def _provenance(store: dict[str, Any], own: Certificate | None) -> Provenance:
    """Return the facts in the library's report."""
    manifest: Any = store["manifests"][store["active_manifest"]]
    signature: Any = manifest.get("signature_info") or {}
    generators: list[Any] = manifest.get("claim_generator_info") or [{}]
    software: dict[str, Any] = generators[0]
    statements: dict[str, Any] = {item["label"]: item["data"] for item in manifest.get("assertions", [])}
    origin: Any = statements.get(ASSERTION) or {}
    acts: Any = statements.get("c2pa.actions.v2") or statements.get("c2pa.actions") or {}
    actions: list[Any] = acts.get("actions", [])
    kind = next((str(action["digitalSourceType"]) for action in actions if action.get("digitalSourceType")), "")
    statuses: list[Any] = store.get("validation_status") or []
    failed = [item for item in statuses if item["code"] != _UNTRUSTED]
    outcome = store.get("validation_state")
    return Provenance(
        state="valid" if outcome in ("Valid", "Trusted") else "invalid",
        # signed below the authority of the site's certificate, which issues a serial number only once
        own=outcome == "Trusted" and own is not None and signature.get("cert_serial_number") == own.serial,
        software=" ".join(str(software[key]) for key in ("name", "version") if software.get(key)),
        engine=str(origin.get("engine", "")),
        style=str(origin.get("style", "")),
        source_type=kind.rpartition("/")[2],
        ingredients=msgspec.convert(origin.get("ingredients", []), list[Ingredient]),
        signed_by=str(signature.get("common_name") or signature.get("issuer") or ""),
        problems=[Problem(str(item["code"]), str(item.get("explanation", ""))) for item in failed],
    )
