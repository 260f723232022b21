"""Examples of the API's operations: a request that was sent to a site, and its response, kept as data beside each module.

`src/vetrina/MODULE/api_examples.json` holds those of a module, by operation. The OpenAPI document and the reference page show
them; `tests/access/` sends each of them and compares the response (`tests/rules/test_api_examples.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

FILE = "api_examples.json"
_PACKAGE = Path(__file__).resolve().parents[2]


class Example(msgspec.Struct, frozen=True, omit_defaults=True):
    """A request to `address` (path and query) and its response; without a body where there is none."""

    address: str
    status: int
    body: Any = None
    form: dict[str, Any] | None = None
    response: Any = None


def path_of(module: str) -> Path:
    """Return the file of a module's examples."""
    return _PACKAGE / module / FILE


def load(modules: Iterable[str]) -> dict[str, Example]:
    """Return the examples of these modules by operation, such as "GET /api/v1/wallet"."""
    result: dict[str, Example] = {}
    for module in modules:
        if (path := path_of(module)).exists():
            result |= msgspec.json.decode(path.read_bytes(), type=dict[str, Example])
    return result


def attach(operation: dict[str, Any], example: Example) -> None:
    """Add an example to an operation of the OpenAPI document."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        sent = example.body if example.body is not None else example.form
        if sent is not None:
            content["example"] = sent
    response = operation["responses"].get(str(example.status))
    if response is not None and example.response is not None:
        for content in response.get("content", {}).values():
            content["example"] = example.response
    operation["x-example"] = {"address": example.address, "status": example.status}
