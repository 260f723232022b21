"""Vendored files match those that `scripts/vendor.py` fetched."""

from __future__ import annotations

import hashlib

from vetrina.web import STATIC


def test_vendored_files_have_their_checksums() -> None:
    vendor = STATIC / "vendor"
    lines = [line.split("  ") for line in (vendor / "SHA256SUMS").read_text().splitlines()]
    assert {target: hashlib.sha256((vendor / target).read_bytes()).hexdigest() for _, target in lines} == {
        target: checksum for checksum, target in lines
    }
    fonts = {f"fonts/{file.name}" for file in (vendor / "fonts").iterdir()}
    assert fonts <= {target for _, target in lines}
