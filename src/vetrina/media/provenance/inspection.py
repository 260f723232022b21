"""Reading of Content Credentials by the C2PA library: pure and synchronous, run in an isolated child process."""

from __future__ import annotations

import importlib
import io
from typing import Any

from vetrina.core.isolation.child import Report
from vetrina.media.provenance.model import LIBRARY

c2pa: Any = importlib.import_module("c2pa")  # it has no types


def inspect(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Return whether `data` (of type `mime`) carries credentials, as `found`, and the library's `report` on them as JSON.

    `own` is the site's certificate chain (PEM) or empty: the state is "Trusted" only for what a certificate of it signed.
    """
    report(0.0, "Reading")
    trust = {"trust": {"user_anchors": payload["own"]}} if payload["own"] else {}
    try:
        with (
            c2pa.Context(c2pa.Settings.from_dict(LIBRARY | trust)) as context,
            c2pa.Reader(payload["mime"], io.BytesIO(payload["data"]), context=context) as reader,
        ):
            return {"found": True, "report": reader.json()}
    except c2pa.C2paError.ManifestNotFound:
        return {"found": False, "report": ""}
