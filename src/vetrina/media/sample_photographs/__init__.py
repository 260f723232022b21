"""Real photographs that anyone may use for anything: an account without pictures can try the studio with one of them.

All are CC0 or in the public domain, so a picture made from one may be shared without a credit. Authors and sources are in
`ATTRIBUTION.md` beside this file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from vetrina.web.i18n import N_

__all__ = ["SAMPLES", "Sample"]

_FOLDER = Path(__file__).parent


class Sample(msgspec.Struct, frozen=True):
    """One photograph. `role` is the slot of the studio that it suits; `preview` is the static file of its square preview."""

    name: str
    title: str
    author: str
    licence: str
    role: Literal["product", "model"]

    @property
    def path(self) -> Path:
        """Return where the photograph is."""
        return _FOLDER / f"{self.name}.jpg"

    @property
    def preview(self) -> str:
        """Return the path of its preview among the static files."""
        return f"img/sample-{self.name}.webp"


SAMPLES = {
    sample.name: sample
    for sample in (
        Sample("coffee", N_("An espresso cup"), "Rachel Michetti", "CC0 1.0", "product"),
        Sample("rocket", N_("A rocket on its pad"), "SpaceX", "public domain", "product"),
        Sample("cat", N_("Chelsea, a cat"), "Stéfan van der Walt", "CC0 1.0", "model"),
        Sample("astronaut", N_("Eileen Collins, astronaut"), "NASA", "public domain", "model"),
    )
}
"""The samples by their names, in the order in which they are offered."""
