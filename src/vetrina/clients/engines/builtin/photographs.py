"""The photographs of one request: opening them, cutting products out, setting products into a scene."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyvips
from numpy.random import Generator

from vetrina.clients.engines.builtin.arrays import Pixels
from vetrina.clients.engines.builtin.progress import StageProgress
from vetrina.clients.engines.builtin.raster.image_io import decode, over_background, pad_to_minimum
from vetrina.clients.engines.builtin.scenes import composite
from vetrina.clients.engines.builtin.scenes.cutout import Cutout, cut_out
from vetrina.clients.engines.networks.models import SUBJECT
from vetrina.core.isolation.run import Reject

MAX_CUTOUT_SIDE = 1600


@dataclass
class Photographs:
    """What one picture is made from. `networks` are weights by name; `notes` are facts about the run, added to as it goes."""

    products: list[bytes]
    model: bytes | None
    size: int
    rng: Generator
    networks: dict[str, bytes]
    notes: dict[str, Any] = field(default_factory=dict[str, Any])

    def scene(self, *, enlarge: bool = False) -> Pixels | None:
        """Return the photograph of a model or a scene, if there is one."""
        return None if self.model is None else self._open(self.model, enlarge=enlarge)

    def cut_outs(self, progress: StageProgress) -> list[Cutout]:
        """Return every product without its surroundings; how each was cut out is noted."""
        cutouts: list[Cutout] = []
        for index, data in enumerate(self.products):
            progress(index / len(self.products), "Cutting out the product")
            photo, alpha = decoded(data, min(self.size, MAX_CUTOUT_SIDE))
            cutouts.append(cut_out(photo, alpha, self.rng, self.networks.get(SUBJECT.name)))
            self.notes.setdefault("cutouts", []).append(cutouts[-1].method)
        return cutouts

    def photo_or_composition(self, progress: StageProgress) -> Pixels:
        """Return the one photograph; of products and a model their composition."""
        if self.model is None:
            return self._open(self.products[0])
        scene = self._open(self.model)
        if not self.products:
            return scene
        cutouts = self.cut_outs(progress.part(0.0, 0.45))
        return composite.place_all(scene, cutouts, composite.Placement(), self.rng, progress.part(0.45, 1.0))

    def _open(self, data: bytes, *, enlarge: bool = False) -> Pixels:
        photo, alpha = decoded(data, self.size)
        photo = over_background(photo, alpha, (0.985, 0.98, 0.97))
        return pad_to_minimum(photo) if enlarge else photo


def decoded(data: bytes, size: int) -> tuple[Pixels, Pixels | None]:
    """Return a photograph and its alpha. Raises Reject when it cannot be read."""
    try:
        return decode(data, size)
    except pyvips.Error:
        raise Reject("unreadable", "One of the photographs cannot be read.") from None


def inputs_per_image(products: list[bytes], models: list[bytes], *, together: bool) -> list[tuple[list[bytes], bytes | None]]:
    """Return the inputs of each picture: some products and perhaps a model.

    With both there is a picture for each model; `together` puts all products into one picture, otherwise each photograph
    is one.
    """
    if together:
        scenes: list[bytes | None] = [*models] or [None]
        return [(products, scene) for scene in scenes]
    if products and models:
        return [(products, model) for model in models]
    alone: list[tuple[list[bytes], bytes | None]] = [([product], None) for product in products]
    return alone or [([], model) for model in models]
