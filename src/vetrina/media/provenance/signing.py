"""Signing a picture: Content Credentials are written into its file. The pixels do not change."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import io
from typing import Any, Self

import vetrina
from vetrina.core.services import Services
from vetrina.core.settings.environment import Settings
from vetrina.media.provenance.certificate import Certificate, certificate, path_of
from vetrina.media.provenance.model import ASSERTION, LIBRARY, SOURCE_TYPES, Origin, Source
from vetrina.media.provenance.reading import mime_of

SOFTWARE = "Vetrina"


class Signer:
    """Signs with the site's certificate, read when the first picture is signed; one instance per process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._certificate: Certificate | None = None

    @classmethod
    def provide(cls, services: Services) -> Self:
        """Return the signer of the process."""
        return cls(services.settings)

    @property
    def certificate(self) -> Certificate:
        """Return the site's certificate. Raises BadSetting."""
        if self._certificate is None:
            self._certificate = certificate(self._settings)
        return self._certificate

    @property
    def existing(self) -> Certificate | None:
        """Return the site's certificate, or None if nothing was signed yet. Raises BadSetting."""
        return self.certificate if self._certificate or path_of(self._settings).exists() else None

    async def signed(self, result: dict[str, Any], origin: Origin) -> dict[str, Any]:
        """Return the result of an intake with the credentials in its file; size and hash are those of the signed file."""
        data = await asyncio.to_thread(sign, result["data"], result["mime"], origin, self.certificate)
        return {**result, "data": data, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def sign(data: bytes, mime: str, origin: Origin, by: Certificate) -> bytes:
    """Return the file with its credentials: some 5 KB more, 10 ms.

    An ingredient that carries credentials hands them on. Nothing names the account, its files' names or the prompt.
    """
    c2pa: Any = importlib.import_module("c2pa")  # 23 MB: only processes that sign load it
    # its text is wanted as bytes; an empty address of a time stamp server fails, None is none
    info = c2pa.C2paSignerInfo(by.algorithm, by.chain.encode(), by.key.encode(), None)
    signed = io.BytesIO()
    with (
        c2pa.Context(c2pa.Settings.from_dict(LIBRARY)) as context,
        c2pa.Signer.from_info(info) as signer,
        c2pa.Builder(_manifest(origin), context) as builder,
    ):
        for number, source in enumerate(origin.sources):
            described = {"title": f"{source.role} {number + 1}", "relationship": "inputTo", "label": _label(number)}
            builder.add_ingredient(described, mime_of(source.data) or "image/jpeg", io.BytesIO(source.data))
        builder.sign(signer, mime, io.BytesIO(data), signed)
    return signed.getvalue()


def _manifest(origin: Origin) -> dict[str, Any]:
    action = {
        "action": "c2pa.created",
        "digitalSourceType": SOURCE_TYPES + origin.source_type,
        "softwareAgent": {"name": f"{SOFTWARE} {origin.engine}", "version": vetrina.__version__},
        "parameters": {"ingredientIds": [_label(number) for number in range(len(origin.sources))]},
    }
    return {
        "claim_generator_info": [{"name": SOFTWARE, "version": vetrina.__version__}],
        "title": origin.style,
        "assertions": [
            {"label": "c2pa.actions.v2", "created": True, "data": {"actions": [action]}},
            {
                "label": ASSERTION,
                "created": True,
                "data": {
                    "engine": origin.engine,
                    "style": origin.style,
                    "ingredients": [{"role": source.role, "sha256": _hash(source)} for source in origin.sources],
                },
            },
        ],
    }


def _label(number: int) -> str:
    return f"input-{number + 1}"


def _hash(source: Source) -> str:
    return hashlib.sha256(source.data).hexdigest()
