#!/usr/bin/env bash
# litestar 2.25.0: named examples of a request body lose their names, and the schema changes its shape.
#
# Expected: Body(examples=[Example(summary="Variations", value={...})]) is written as "examples" of the media type, by name and with
# its summary (OpenAPI 3.1, 4.8.14.1), beside an unchanged reference to the schema.
# Seen: the bare values go into the schema's "examples", the summaries are gone, and the reference becomes allOf of one reference,
# so that a reader that follows "$ref" finds no fields.
# Consequence: a page that shows examples by name writes them into the document itself.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check litestar==2.25.0 msgspec==0.22.0
"$folder/venv/bin/python" - > "$folder/seen" 2>/dev/null <<'PY'
from typing import Annotated

import msgspec
from litestar import Litestar, post
from litestar.openapi.spec import Example
from litestar.params import Body


class Batch(msgspec.Struct):
    kind: str
    count: int = 1


@post("/plain")
async def plain(data: Batch) -> None: ...


@post("/named")
async def named(
    data: Annotated[Batch, Body(examples=[Example(summary="Variations", value={"kind": "variations", "count": 4})])],
) -> None: ...


paths = Litestar([plain, named]).openapi_schema.to_schema()["paths"]
for path in ("/plain", "/named"):
    content = paths[path]["post"]["requestBody"]["content"]["application/json"]
    print(path, "media type:", sorted(content), "schema:", sorted(content["schema"]))
print("examples of the schema:", paths["/named"]["post"]["requestBody"]["content"]["application/json"]["schema"].get("examples"))
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
/plain media type: ['schema'] schema: ['$ref']
/named media type: ['schema'] schema: ['allOf', 'examples']
examples of the schema: [{'kind': 'variations', 'count': 4}]
SEEN
echo "as described"
