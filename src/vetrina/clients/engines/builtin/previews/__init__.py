"""One small picture of every style, made by the engine itself from the demo photographs.

`python -m scripts.previews [STYLE ...]` makes them again; a seed fixes them.
"""

from __future__ import annotations

from pathlib import Path

from vetrina.clients.engines.builtin.previews.plan import HEIGHT, PLAN, WIDTH, Sitting

__all__ = ["HEIGHT", "PLAN", "WIDTH", "Sitting", "path_of"]

HERE = Path(__file__).parent


def path_of(style: str) -> Path:
    """Where the style's preview is kept: WebP, 480 x 600."""
    return HERE / f"{style}.webp"
