"""Every operation of the API has an example, which is sent to a site here: the response has the form that the example shows.

To write the examples again, as after a change of a response: VETRINA_WRITE_EXAMPLES=1 pytest tests/rules/test_api_examples.py.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any

import msgspec
import pytest

from tests.access.matrix import Row, Scene
from tests.factories import Make
from tests.rules.test_access_matrix import content_of, operations, operator_account, rows
from tests.server import Site
from vetrina.accounts.roles.actions import Role
from vetrina.core.web.api_examples import Example, load, path_of
from vetrina.modules import MODULES

WITHOUT = re.compile(r"/events$|\.pdf$|/outbox")
"""Streams and files have no body to show."""
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
HOST = re.compile(re.escape("http://127.0.0.1:") + r"\d+")
FREE = (".metadata", ".parameters", ".context", ".details", ".values")
"""Fields whose keys are data."""
LONG = 160
SECRETS = {
    "access_token": "ACCESS_TOKEN",
    "refresh_token": "REFRESH_TOKEN",
    "secret": "SECRET",
    "uri": "otpauth://totp/Vetrina:ada%40example.com?secret=SECRET&issuer=Vetrina",
}
"""What stands for secrets in the file."""


async def _sent(scene: Scene, operation: str, row: Row) -> Example | None:
    """Send the matrix's request as one who is answered; return it with its response."""
    method, path = operation.split(" ")
    filled = path.format(**(await row.of(scene) if row.of else {}))
    ok = next((role for role in ("owner", "admin", "superuser") if (getattr(row, role) or 500) < 300), "owner")
    account = await scene.make.account() if row.alone else getattr(scene, ok)
    body, form = await content_of(scene, row.body), await content_of(scene, row.form)
    content = {"json": body, "data": form, "files": row.files}
    sent = {name: value for name, value in content.items() if value is not None}
    async with scene.site.client.stream(method, filled, headers=account.headers, **sent) as answer:
        if "event-stream" in answer.headers.get("content-type", ""):
            return None
        data = await answer.aread()
    kind = answer.headers.get("content-type", "")
    response = json.loads(data) if "json" in kind and data else None
    return Example(filled, answer.status_code, body=body, form=form, response=response)


def _stored(value: Any, names: dict[str, str]) -> Any:
    """Return what of a value is kept in the file: stable ids, times and addresses, one item of a list, no long text."""
    if isinstance(value, dict):
        return {key: SECRETS.get(key) or _stored(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_stored(item, names) for item in value[:1]]
    if not isinstance(value, str):
        return value
    text = UUID.sub(lambda match: names.setdefault(match[0], f"01a0c0de-0000-7000-8000-{len(names) + 1:012}"), value)
    text = re.sub(r"expires=\d+&signature=[\w-]+", "expires=1795860000&signature=SIGNATURE", text)
    text = HOST.sub("https://vetrina.example", TIME.sub("2026-11-28T09:30:00Z", text))
    text = re.sub(r"[0-9a-f]{12}@example\.com", "ada@example.com", text)
    return text if len(text) <= LONG else text[:LONG] + "…"


def _differences(where: str, example: Any, response: Any) -> list[str]:
    """Return in what the form of a response differs from the example's; null and an empty list fit anything."""
    if example is None or response is None:
        return []
    if isinstance(example, dict) and isinstance(response, dict):
        if where.endswith(FREE):
            return []
        different = sorted(example.keys() ^ response.keys())
        faults = [f"{where}: the field {name}" for name in different]
        return faults + [
            fault
            for name in example.keys() & response.keys()
            for fault in _differences(f"{where}.{name}", example[name], response[name])
        ]
    if isinstance(example, list) and isinstance(response, list):
        return _differences(f"{where}[]", example[0], response[0]) if example and response else []
    same = type(example) is type(response) or {type(example), type(response)} == {int, float}
    return [] if same else [f"{where}: {type(response).__name__} instead of {type(example).__name__}"]


async def test_responses_have_the_form_of_the_examples(site: Site, make: Make) -> None:
    scene = Scene(
        site,
        make,
        owner=await make.account(tokens=100),
        stranger=await make.account(),
        admin=await operator_account(make, Role.ADMIN),
        superuser=await operator_account(make, Role.SUPERUSER),
    )
    there, documented = await operations(site), load(module.name for module in MODULES)
    write = os.environ.get("VETRINA_WRITE_EXAMPLES") == "1"
    written: dict[str, dict[str, Example]] = {}
    names: dict[str, str] = {}
    faults: list[str] = []
    for operation, (_, row) in rows().items():
        if operation not in there or WITHOUT.search(operation):
            continue
        sent = await _sent(scene, operation, row)
        if sent is None:
            continue
        if write:
            example = msgspec.convert(_stored(msgspec.to_builtins(sent, enc_hook=str), names), Example)
            written.setdefault(there[operation], {})[operation] = example
        elif operation not in documented:
            faults.append(f"{operation}: no example; write them with VETRINA_WRITE_EXAMPLES=1")
        else:
            example = documented[operation]
            faults += [] if example.status == sent.status else [f"{operation}: {sent.status} instead of {example.status}"]
            faults += _differences(operation, example.response, sent.response)
            faults += _differences(f"{operation} request", example.body, msgspec.to_builtins(sent.body, enc_hook=str))
    for module, examples in written.items():
        data = msgspec.json.format(msgspec.json.encode(dict(sorted(examples.items()))), indent=1)
        path_of(module).write_bytes(data + b"\n")
    assert faults == [], "\n" + "\n".join(faults)
    assert not write, "written; run this again"
    assert sorted(documented.keys() - there.keys()) == [], "these are no operations any more"


@pytest.mark.parametrize(
    ("example", "response", "count"),
    [
        ({"id": "a", "items": [{"n": 1}]}, {"id": "b", "items": [{"n": 2}, {"n": 3}]}, 0),
        ({"id": "a"}, {"id": 1}, 1),
        ({"id": "a"}, {"name": "a"}, 2),
        ({"items": [{"n": 1}]}, {"items": [{"m": 1}]}, 2),
        ({"paid_at": None}, {"paid_at": "2026"}, 0),
    ],
)
def test_wrong_example_is_detected(example: Any, response: Any, count: int) -> None:
    assert len(_differences("", example, response)) == count


async def test_reference_shows_the_examples(site: Site) -> None:
    page = (await site.client.get("/api/docs?q=GET /api/v1/wallet")).text
    assert "GET /api/v1/wallet" in page and "Example" in page and "&#34;balance&#34;" in page
    document = (await site.client.get("/api/docs/openapi.json")).json()
    start = document["paths"]["/api/v1/generations"]["post"]
    assert start["requestBody"]["content"]["application/json"]["example"]["style_name"]
    assert start["responses"]["201"]["content"]["application/json"]["example"]["status"]
