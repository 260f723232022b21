"""The nodes that the fake ComfyUI supports: enough to validate a workflow and to run it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, cast

import pyvips

Nodes = dict[str, dict[str, Any]]

_RANGES = {"steps": (1, 10000), "cfg": (0.0, 100.0), "denoise": (0.0, 1.0), "width": (1, 16384)}


def _canvas(inputs: dict[str, Any], files: Mapping[str, bytes]) -> list[Any]:
    width, height = inputs["width"], inputs["height"]
    ramp = pyvips.Image.xyz(width, height).cast("float")
    red, green = ramp.extract_band(0) * (255 / width), ramp.extract_band(1) * (255 / height)
    return [_srgb(red.bandjoin([green, 255 - red]))]


def _load(inputs: dict[str, Any], files: Mapping[str, bytes]) -> list[Any]:
    image = pyvips.Image.new_from_buffer(files[inputs["image"]], "").colourspace("srgb")
    if not image.hasalpha():
        return [image, pyvips.Image.black(64, 64)]
    return [image.extract_band(0, n=3), 255 - image.extract_band(3)]


def _scale(inputs: dict[str, Any], files: Mapping[str, bytes]) -> list[Any]:
    image: pyvips.Image = inputs["image"]
    size = "both" if inputs["crop"] == "center" else "force"
    crop = "centre" if inputs["crop"] == "center" else "none"
    return [image.thumbnail_image(inputs["width"], height=inputs["height"], size=size, crop=crop)]


def _composite(inputs: dict[str, Any], files: Mapping[str, bytes]) -> list[Any]:
    below: pyvips.Image = inputs["destination"]
    above: pyvips.Image = inputs["source"]
    mask: pyvips.Image = inputs["mask"].thumbnail_image(above.width, height=above.height, size="force")
    left, top = inputs["x"], inputs["y"]
    whole = above.embed(left, top, below.width, below.height)
    return [_srgb(mask.embed(left, top, below.width, below.height).ifthenelse(whole, below, blend=True))]


def _sample(inputs: dict[str, Any], files: Mapping[str, bytes]) -> list[Any]:
    latent: pyvips.Image = inputs["latent_image"]
    digest = hashlib.sha256(f"{inputs['seed']}{inputs['positive']}{inputs['negative']}".encode()).digest()
    share = 0.6 * inputs["denoise"]
    return [_srgb(latent * (1 - share) + [share * band for band in digest[:3]])]


def _srgb(image: pyvips.Image) -> pyvips.Image:
    return image.cast("uchar").copy(interpretation="srgb")


CLASSES: dict[str, Callable[[dict[str, Any], Mapping[str, bytes]], list[Any]]] = {
    "CheckpointLoaderSimple": lambda inputs, files: [inputs["ckpt_name"], "clip", "vae"],
    "CLIPTextEncode": lambda inputs, files: [inputs["text"]],
    "EmptyLatentImage": _canvas,
    "LoadImage": _load,
    "ImageScale": _scale,
    "InvertMask": lambda inputs, files: [255 - inputs["mask"]],
    "ImageCompositeMasked": _composite,
    "VAEEncode": lambda inputs, files: [inputs["pixels"]],
    "KSampler": _sample,
    "VAEDecode": lambda inputs, files: [inputs["samples"]],
    "SaveImage": lambda inputs, files: [inputs["images"].write_to_buffer(".png")],
}


def is_link(value: Any) -> bool:
    """Return whether an input is `[node id, output number]`."""
    return isinstance(value, list) and len(cast(list[Any], value)) == 2


def in_order(nodes: Nodes) -> list[str]:
    """Return the nodes that the saved pictures need, in dependency order."""
    order: list[str] = []

    def visit(identity: str) -> None:
        if identity in order:
            return
        for value in nodes[identity]["inputs"].values():
            if is_link(value):
                visit(value[0])
        order.append(identity)

    for identity, node in nodes.items():
        if node["class_type"] == "SaveImage":
            visit(identity)
    return order


def run_node(node: dict[str, Any], results: dict[str, list[Any]], files: Mapping[str, bytes]) -> list[Any]:
    """Return the node's outputs."""
    inputs = {name: results[value[0]][value[1]] if is_link(value) else value for name, value in node["inputs"].items()}
    return CLASSES[node["class_type"]](inputs, files)


def complaint(nodes: Nodes, checkpoints: list[str], files: Mapping[str, bytes]) -> dict[str, Any] | None:
    """Return the body of ComfyUI's 400 for an invalid workflow; None for a valid one."""
    for identity, node in nodes.items():
        if node["class_type"] not in CLASSES:
            title = node.get("_meta", {}).get("title") or node["class_type"]
            message = f"Node '{title}' not found. The custom node may not be installed."
            about = {"node_id": identity, "class_type": node["class_type"], "node_title": title}
            return _refusal("missing_node_type", message, f"Node ID '#{identity}'", about)
    order = in_order(nodes)
    if not order:
        return _refusal("prompt_no_outputs", "Prompt has no outputs")
    result: dict[str, Any] = {}
    for identity in order:
        if errors := _problems(nodes[identity], checkpoints, files):
            kind = nodes[identity]["class_type"]
            result[identity] = {"errors": errors, "dependent_outputs": [order[-1]], "class_type": kind}
    if not result:
        return None
    refused = _refusal("prompt_outputs_failed_validation", "Prompt outputs failed validation")
    return {**refused, "node_errors": result}


def _refusal(kind: str, said: str, details: str = "", extra: dict[str, Any] | None = None) -> dict[str, Any]:
    error = {"type": kind, "message": said, "details": details, "extra_info": extra or {}}
    return {"error": error, "node_errors": {}}


def _problems(node: dict[str, Any], checkpoints: list[str], files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    inputs, errors = node["inputs"], list[dict[str, Any]]()

    def add(kind: str, message: str, name: str) -> None:
        received = {"input_name": name, "input_config": None, "received_value": inputs[name]}
        errors.append({"type": kind, "message": message, "details": f"{name}: '{inputs[name]}'", "extra_info": received})

    if "ckpt_name" in inputs and inputs["ckpt_name"] not in checkpoints:
        add("value_not_in_list", "Value not in list", "ckpt_name")
    if node["class_type"] == "LoadImage" and inputs["image"] not in files:
        add("custom_validation_failed", "Custom validation failed for node", "image")
    for name, (low, high) in _RANGES.items():
        if name in inputs and inputs[name] < low:
            add("value_smaller_than_min", f"Value {inputs[name]} smaller than min of {low}", name)
        if name in inputs and inputs[name] > high:
            add("value_bigger_than_max", f"Value {inputs[name]} bigger than max of {high}", name)
    return errors
