"""Removing the background: pure and synchronous, run in an isolated child process.

Everything is imported at the start: the child has no access to files.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.ma  # np.percentile imports it when first called, too late for the child
import pyvips

from vetrina.clients.engines.builtin.parameter_values import ParameterValues
from vetrina.clients.engines.builtin.photographs import decoded
from vetrina.clients.engines.builtin.progress import Report, StageProgress
from vetrina.clients.engines.builtin.raster.image_io import size_of, to_bytes
from vetrina.clients.engines.builtin.render import MAX_IMAGES
from vetrina.clients.engines.builtin.rng import seeded_generator
from vetrina.clients.engines.builtin.scenes.cutout import Cutout, cut_out
from vetrina.clients.engines.networks.models import SUBJECT
from vetrina.core.isolation.run import Reject

_ = numpy.ma
cv2.setNumThreads(1)  # the same sums in the same order: the same photograph gives the same bytes again

PREVIEW_SIDE = 480
DOUBTFUL = "No distinct subject could be cut out of this photograph."


def render(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Cut each photograph out; the payload and the result are those of `vetrina.clients.engines.builtin.render`.

    The images are PNG or WebP with transparency. Raises Reject where no subject is distinct.
    """
    parameters = ParameterValues(payload["parameters"])
    photographs = [*payload["products"], *payload["models"]]
    if not photographs:
        raise Reject("needs_picture", "Choose a photograph first.")
    if len(photographs) > MAX_IMAGES:
        raise Reject("too_many", f"At most {MAX_IMAGES} pictures are made at a time.")
    kind = parameters.choice("format")
    images: list[bytes] = []
    for index, data in enumerate(photographs):
        progress = StageProgress(report, index / len(photographs), (index + 1) / len(photographs))
        progress(0.1, "Removing the background")
        cutout = _cut(data, parameters.integer("size"), payload)
        if cutout.method == "card":
            raise Reject("doubtful", DOUBTFUL)
        progress(0.9, "Saving the picture")
        image = _image(cutout, parameters.number("margin"))
        images.append(
            image.pngsave_buffer(compression=3, keep=0) if kind == "png" else image.webpsave_buffer(Q=92, effort=2, keep=0)
        )
    report(1.0, "Done")
    return {"images": images, "mime": f"image/{kind}", "notes": {}}


def preview(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Return a small WebP of the cut-out of `data` as `image`, or `doubtful` where no subject is distinct."""
    report(0.0, "Removing the background")
    cutout = _cut(payload["data"], PREVIEW_SIDE, payload)
    doubtful = cutout.method == "card"
    image = b"" if doubtful else _image(cutout, 0.05).webpsave_buffer(Q=80, effort=2, keep=0)
    return {"image": image, "doubtful": doubtful}


def _cut(data: bytes, size: int, payload: dict[str, Any]) -> Cutout:
    seed = int(payload["seed"])
    cv2.setRNGSeed(seed & 0x7FFF_FFFF)  # GrabCut draws from OpenCV's own generator
    photo, alpha = decoded(data, size)
    return cut_out(photo, alpha, seeded_generator(seed), payload["networks"].get(SUBJECT.name))


def _image(cutout: Cutout, margin: float) -> pyvips.Image:
    """Return the subject with transparency, an empty margin around it."""
    around = round(margin * max(size_of(cutout.alpha)))
    pixels = np.dstack([to_bytes(cutout.colour), to_bytes(cutout.alpha)])
    pixels[pixels[:, :, 3] == 0] = 0
    return pyvips.Image.new_from_array(np.pad(pixels, ((around, around), (around, around), (0, 0))), interpretation="srgb")
