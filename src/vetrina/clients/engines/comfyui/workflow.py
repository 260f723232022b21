"""Workflow templates in ComfyUI's API format, with places that a request fills.

Two ways to mark a place, so that a template can be drawn and exported in ComfyUI itself:

- `{{prompt}}` within any text input is replaced;
- `{{steps=steps}}` within a node's title sets that node's input `steps` to our value `steps`, for
  numbers and pictures, whose widgets take no text.

`VALUES` lists the values; the pictures are `picture` (the only one), or `product`,
`product_2`, ... and `model`, `model_2`, ...
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from vetrina.clients.engines.base import EngineRefused, EngineRequest

VALUES = frozenset(
    {"prompt", "avoid", "seed", "steps", "guidance", "strength", "checkpoint", "prefix", "width", "height"}
    | {"product_width", "product_height", "product_x", "product_y"}
)

_PLACE = re.compile(r"\{\{(?:(\w+)=)?(\w+)\}\}")
_PICTURE = re.compile(r"picture|(product|model)(_[2-9])?")


class Meta(msgspec.Struct):
    """Metadata of a node, which ComfyUI passes through unchanged."""

    title: str = ""


class Node(msgspec.Struct, rename={"meta": "_meta"}):
    """One step of a workflow; an input is a value or `[node id, output number]`."""

    class_type: str
    inputs: dict[str, Any]
    meta: Meta = msgspec.field(default_factory=Meta)


class Workflow(msgspec.Struct, frozen=True):
    """A template and the places in it."""

    nodes: dict[str, Node]
    places: frozenset[str]

    @classmethod
    def read(cls, path: Path) -> Workflow:
        """Read a template. Raises ValueError with the reason if it cannot work."""
        try:
            nodes = msgspec.json.decode(path.read_bytes(), type=dict[str, Node])
        except OSError as error:
            raise ValueError(f"the workflow {path} cannot be read: {error.strerror}") from error
        except msgspec.DecodeError as error:
            raise ValueError(f"the workflow {path} is not in ComfyUI's API format (use Export (API)): {error}") from error
        places: set[str] = set()
        for identity, node in nodes.items():
            for into, name in _PLACE.findall(node.meta.title):
                if into and into not in node.inputs:
                    raise ValueError(f"the workflow {path}: node {identity} has no input {into!r}")
                places.update([name] if into else [])
            for value in node.inputs.values():
                places.update(name for _, name in _PLACE.findall(value if isinstance(value, str) else ""))
        unknown = sorted(name for name in places if name not in VALUES and not _PICTURE.fullmatch(name))
        if unknown:
            raise ValueError(f"the workflow {path} has places that nothing fills: {', '.join(unknown)}")
        return cls(nodes, frozenset(places))

    def fill(self, values: dict[str, Any]) -> dict[str, Node]:
        """Return the nodes to submit, with every place filled from `values`."""
        return {identity: _fill_node(node, values) for identity, node in self.nodes.items()}

    def pictures(self, title: str, request: EngineRequest) -> dict[str, bytes]:
        """Return the photograph of each place.

        Raises EngineRefused, naming the style by its `title`, unless there are exactly as many as the
        workflow uses: no photograph is silently ignored.
        """
        products, models = self._places_for("product"), self._places_for("model")
        if "picture" in self.places:
            given = [*request.products, *request.models]
            if len(given) == 1:
                return {"picture": given[0]}
            raise EngineRefused(f"“{title}” works from one photograph; you gave {len(given)}.")
        if len(products) == len(request.products) and len(models) == len(request.models):
            return dict(zip([*products, *models], [*request.products, *request.models], strict=True))
        raise EngineRefused(
            f"“{title}” works from {_count_photographs(len(products), len(models))};"
            f" you gave {_count_photographs(len(request.products), len(request.models))}."
        )

    def _places_for(self, role: str) -> list[str]:
        return sorted(place for place in self.places if re.fullmatch(rf"{role}(_\d)?", place))


def _fill_node(node: Node, values: dict[str, Any]) -> Node:
    inputs = {name: _fill_text(value, values) for name, value in node.inputs.items()}
    for into, name in _PLACE.findall(node.meta.title):
        if into:
            inputs[into] = values[name]
    title = _PLACE.sub("", node.meta.title).strip()
    return Node(node.class_type, inputs, Meta(title or node.class_type))


def _fill_text(value: Any, values: dict[str, Any]) -> Any:
    """Fill the template's text in one pass, so that marks in a user's own words stay words."""
    if not isinstance(value, str):
        return value
    return _PLACE.sub(lambda match: str(values[match[2]]), value)


def _count_photographs(products: int, models: int) -> str:
    if not products and not models:
        return "words alone"
    parts = [(products, "product"), (models, "model")]
    return " and ".join(f"{count} {role} photograph{'s' if count > 1 else ''}" for count, role in parts if count)
