"""`vetrina media`: verification of pictures outside of the library."""

from __future__ import annotations

import asyncio
from pathlib import Path

from cyclopts import App

from vetrina.core.command_line import exit_codes as exits
from vetrina.core.command_line import output
from vetrina.core.settings import environment as settings
from vetrina.media.provenance import labels, reading
from vetrina.media.provenance.certificate import existing
from vetrina.media.provenance.model import Provenance

app = App(name="media", help="Verify the Content Credentials of a picture.")


@app.command
def verify(file: Path, *, json: bool = False) -> int:
    """Read the Content Credentials (C2PA) of a picture and say what of them holds. Needs no database.

    Exit code 0 if they are valid, 1 if there are none or they do not hold, 2 if there is no such file.

    Args:
        file: The picture.
        json: Print the result as JSON.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        print(f"{file} cannot be read: {error.strerror}")
        return exits.USAGE
    provenance = asyncio.run(reading.read(data, existing(settings.read())))
    if json:
        output.as_json(provenance)
    else:
        print("\n".join(_lines(provenance)))
    return exits.OK if provenance.state == "valid" else exits.FAILED


def _lines(provenance: Provenance) -> list[str]:
    if provenance.state == "none":
        return ["No Content Credentials in this file."]
    signer = f"{provenance.signed_by}, this site" if provenance.own else f"{provenance.signed_by}, which is what the signer says"
    if provenance.state == "valid":
        lines = ["Valid, untrusted: unchanged since it was signed; no public list names the signer."]
    else:
        lines = ["Invalid: changed since it was signed, or the signature is broken."]
    lines.append(f"signed by   {signer}")
    facts = {"made by": provenance.software, "engine": provenance.engine, "style": provenance.style}
    kind = f"{provenance.source_type} ({labels.SOURCE_TYPES.get(provenance.source_type, 'IPTC digital source type')})"
    facts["kind"] = kind if provenance.source_type else ""
    lines += [f"{title:<11} {text}" for title, text in facts.items() if text]
    lines += [f"made from   {item.role}, SHA-256 {item.sha256}" for item in provenance.ingredients]
    return lines + [f"problem     {item.code}: {item.explanation}" for item in provenance.problems]
