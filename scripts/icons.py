"""Draw the site's icons for phones and old browsers from `static/favicon.svg`: `python -m scripts.icons`, when it has changed."""

from __future__ import annotations

import struct
from pathlib import Path

import pyvips

STATIC = Path(__file__).resolve().parents[1] / "src" / "vetrina" / "web" / "static"
SIDE = 32
"""The drawing's own size."""


def draw(svg: str, size: int) -> pyvips.Image:
    """Return the drawing at `size` pixels."""
    return pyvips.Image.svgload_buffer(svg.encode(), scale=size / SIDE)


def main() -> None:
    """Write every icon."""
    svg = (STATIC / "favicon.svg").read_text("utf-8")
    # A system cuts its own shape out of these: colour to the edges, the letter within the middle 80 %.
    full = svg.replace(' rx="3"', "").replace("<path ", '<path transform="translate(3.2 3.2) scale(0.8)" ')
    folder = STATIC / "img"
    for name, source, size in (
        ("icon-192", svg, 192),
        ("icon-512", svg, 512),
        ("icon-maskable-512", full, 512),
        ("apple-touch-icon", full, 180),
    ):
        draw(source, size).write_to_file(str(folder / f"{name}.png"), compression=9, palette=True, effort=10)
    png = draw(svg, 32).write_to_buffer(".png", compression=9, palette=True)
    header = struct.pack("<HHH", 0, 1, 1) + struct.pack("<BBBBHHII", 32, 32, 0, 0, 1, 32, len(png), 22)
    (folder / "favicon.ico").write_bytes(header + png)


if __name__ == "__main__":
    main()
