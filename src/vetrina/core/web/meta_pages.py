"""Pages that belong to no module: the switches of theme and language, the API documentation."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import HttpMethod, Response, get, post, route
from litestar.datastructures import Cookie
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from vetrina.core.errors import NotFound
from vetrina.core.web import openapi, pages
from vetrina.core.web.request import Request
from vetrina.web import i18n

_BOUNDS = {"minimum": "at least", "maximum": "at most", "minLength": "from", "maxLength": "up to"}

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


@post("/theme", include_in_schema=False)
async def theme(data: Form) -> Redirect:
    """Set the theme cookie: light, dark or system."""
    chosen = data.get("theme", "auto")
    theme = chosen if chosen in {"light", "dark"} else "auto"
    cookie = Cookie("theme", value=theme, max_age=31536000, samesite="lax", path="/")
    return pages.redirect(pages.safe_local_path(data.get("next"), "/"), cookies=[cookie])


@post("/language", include_in_schema=False)
async def language(data: Form) -> Redirect:
    """Set the cookie of the language that this browser's pages are written in."""
    cookie = pages.language_cookie(i18n.named(data.get("language")))
    return pages.redirect(pages.safe_local_path(data.get("next"), "/"), cookies=[cookie])


@get("/api/docs", include_in_schema=False, sync_to_thread=False)
def docs(request: Request, q: str = "") -> Response[str]:
    """Show the calls of the API, or those that have every word of `q`, read from the OpenAPI document."""
    document = openapi.document(request.app)
    calls = [
        _call(document, method, path, operation)
        for path, item in document.get("paths", {}).items()
        for method, operation in item.items()
        if method in {"get", "post", "put", "patch", "delete"}
    ]
    terms = q[:100].lower().split()
    calls = [call for call in calls if all(term in _searched(call) for term in terms)]
    tags = sorted({str(call["tag"]) for call in calls})
    groups = [{"tag": tag, "calls": [call for call in calls if call["tag"] == tag]} for tag in tags]
    return pages.render(request, "docs.html", groups=groups, q=q[:100])


@get("/api/docs/openapi.json", include_in_schema=False, sync_to_thread=False)
def document(request: Request) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    return openapi.document(request.app)


def _call(document: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> dict[str, Any]:
    fields = [
        {
            "name": parameter["name"],
            "place": parameter["in"],
            "about": parameter.get("description") or _kind(document, parameter.get("schema", {})),
        }
        for parameter in operation.get("parameters", [])
    ]
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        body = _resolved(document, content.get("schema", {}))
        place = "form" if "form" in kind else "body"
        for name, schema in body.get("properties", {}).items():
            needed = "" if name in body.get("required", []) else "optional "
            fields.append({"name": name, "place": needed + place, "about": _kind(document, schema)})
    return {
        "method": method.upper(),
        "path": path,
        "summary": operation.get("description") or operation.get("summary", ""),
        "tag": (operation.get("tags") or ["other"])[0],
        "fields": fields,
        "result": _result(document, operation),
        "example": _example(method, operation),
        "errors": [
            {"status": status, "about": response.get("description", "")}
            for status, response in sorted(operation.get("responses", {}).items())
            if status.startswith(("4", "5"))
        ],
    }


def _example(method: str, operation: dict[str, Any]) -> dict[str, str] | None:
    """Return the example's request and response as text, or None."""
    example = operation.get("x-example")
    if example is None:
        return None
    request = [f"{method.upper()} {example['address']}"]
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        if "example" in content:
            request += [f"Content-Type: {kind}", "", _indented(content["example"])]
    response = [str(example["status"])]
    for content in operation["responses"].get(response[0], {}).get("content", {}).values():
        if "example" in content:
            response += ["", _indented(content["example"])]
    return {"request": "\n".join(request), "response": "\n".join(response)}


def _indented(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _searched(call: dict[str, Any]) -> str:
    names = " ".join(field["name"] for field in [*call["fields"], *call["result"]["fields"]])
    return f"{call['method']} {call['path']} {call['summary']} {call['tag']} {names}".lower()


def _result(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    """Return the status of success and the fields of its body; `items.` before those of a page's items."""
    responses: dict[str, dict[str, Any]] = operation["responses"]
    status = next((status for status in sorted(responses) if status.startswith("2")), "")
    response = responses.get(status, {})
    contents: list[dict[str, Any]] = list(response.get("content", {}).values())
    body = _resolved(document, contents[0].get("schema", {}) if contents else {})
    properties = dict(body.get("properties", {}))
    fields = [{"name": name, "about": _kind(document, schema)} for name, schema in properties.items() if name != "items"]
    item = _resolved(document, properties.get("items", {}).get("items", {}))
    fields += [{"name": f"items.{name}", "about": _kind(document, schema)} for name, schema in item.get("properties", {}).items()]
    return {"status": status, "fields": fields}


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if len(parts := schema.get("allOf", [])) == 1:  # a reference that has examples
        schema = parts[0]
    if "$ref" not in schema:
        return schema
    node = document
    for part in str(schema["$ref"]).removeprefix("#/").split("/"):
        node = node[part]
    return node


def _kind(document: dict[str, Any], schema: dict[str, Any]) -> str:
    """Describe a schema's type in a few words."""
    schema = _resolved(document, schema)
    if choices := schema.get("enum"):
        return ", ".join(str(choice) for choice in choices)
    for several in ("oneOf", "anyOf"):
        if several in schema:
            return " or ".join(_kind(document, item) for item in schema[several])
    if schema.get("type") == "array":
        return f"list of {_kind(document, schema.get('items', {}))}"
    kind = schema.get("type", "any")
    text = kind if isinstance(kind, str) else " or ".join(kind)
    bounds = [f"{word} {schema[key]}" for key, word in _BOUNDS.items() if key in schema]
    return f"{schema.get('format') or text}{', ' + ', '.join(bounds) if bounds else ''}"


@route("/{rest:path}", http_method=list(HttpMethod), include_in_schema=False, sync_to_thread=False)
def not_found(rest: str) -> None:
    """Return 404 for every other address: a normal route, so that the page knows the signed-in account."""
    raise NotFound


def home_redirect(path: str) -> list[Any]:
    """Return the site's start page where no loaded module has one: a redirect to `path`."""
    if path == "/":
        return []

    @get("/", include_in_schema=False, sync_to_thread=False)
    def handler() -> Redirect:
        return pages.redirect(path)

    return [handler]


ROUTES: list[Any] = [theme, language, docs, document, not_found]
