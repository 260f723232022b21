"""Real photographs under free licences, for the demos, the previews and the tests.

Authors, licences and changes: `ATTRIBUTION.md` beside this file, and beside those that are samples of the site
(`vetrina.media.sample_photographs`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from vetrina.media.sample_photographs import SAMPLES

__all__ = ["PHOTOS", "Photo", "path_of"]

Role = Literal["product", "model", "scene"]

HERE = Path(__file__).parent
DEBIAN = "Debian package lomiri-wallpapers-16.04 20.04.0-2"
SKIMAGE = "scikit-image 0.25.2"


class Photo(msgspec.Struct, frozen=True):
    """One photograph. `role_hint` is its best use; any photograph may be used as anything."""

    name: str
    path: Path
    title: str
    author: str
    licence: str
    source: str
    role_hint: Role


def _photo(name: str, title: str, author: str, licence: str, source: str, role: Role) -> Photo:
    path = SAMPLES[name].path if name in SAMPLES else HERE / f"{name}.jpg"
    return Photo(name, path, title, author, licence, source, role)


PHOTOS: list[Photo] = [
    _photo("coffee", "An espresso cup", "Rachel Michetti", "CC0 1.0", SKIMAGE, "product"),
    _photo("fig_bowl", "A fig in a red bowl", 'Trevor "Freespace"', "CC BY 4.0", DEBIAN, "product"),
    _photo("drum", "A djembe on a beanbag", "Jakub Mede", "CC BY 4.0", DEBIAN, "product"),
    _photo("wooden_bird", "A wooden bird", "Peter Nerlich", "CC BY-SA 4.0", DEBIAN, "product"),
    _photo("rocket", "Falcon 9 at Cape Canaveral", "SpaceX", "public domain", SKIMAGE, "scene"),
    _photo("astronaut", "Eileen Collins, astronaut", "NASA", "public domain", SKIMAGE, "model"),
    _photo("cat", "Chelsea, a cat", "Stéfan van der Walt", "CC0 1.0", SKIMAGE, "model"),
    _photo("dogs", "Two dogs at a window", "Aitzol Berasategi", "CC BY 4.0", DEBIAN, "model"),
    _photo("autumn_hill", "A meadow below Aitzgorri", "Aitzol Berasategi", "CC BY 4.0", DEBIAN, "scene"),
    _photo("mountain_path", "A path in the Picos de Europa", "Aitzol Berasategi", "CC BY 4.0", DEBIAN, "scene"),
    _photo("stream", "A stream in a wood", "Aitzol Berasategi", "CC BY 4.0", DEBIAN, "scene"),
    _photo("brushes", "Paint brushes", 'Trevor "Freespace"', "CC BY 4.0", DEBIAN, "scene"),
    _photo("room", "A room with a table and a drum", "Jakub Mede", "CC BY 4.0", DEBIAN, "scene"),
    _photo("dandelion", "Dandelions at sunset", "Clemens Engelhardt", "CC0 1.0", DEBIAN, "scene"),
]
"""`dandelion` is 4000 x 3000 pixels; the others are at most 1600 on the long side."""


def path_of(name: str) -> Path:
    """Return the path of the photograph `name`. Raises KeyError if there is none."""
    for photo in PHOTOS:
        if photo.name == name:
            return photo.path
    raise KeyError(name)
