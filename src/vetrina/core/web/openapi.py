"""The OpenAPI document: Litestar's, with how to sign in and what every operation may refuse."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, cast

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from vetrina.core.web import api_examples
from vetrina.core.web.http.query_parameters import declared_parameters

PROBLEM = "application/problem+json"
_REFUSED = {
    "400": "The request cannot be read.",
    "401": "Nobody is signed in, or the access token does not hold.",
    "402": "There are not enough credits.",
    "403": "This is not allowed.",
    "404": "There is no such thing, or it is somebody else's.",
    "409": "The state of things does not allow it.",
    "410": "It is over.",
    "413": "The body is too large.",
    "415": "The body is of a kind that is not taken.",
    "422": "A value does not fit.",
    "423": "It is locked for a while.",
    "429": "Too many requests; Retry-After says when to come back.",
    "502": "Another service failed.",
    "503": "A part of the site is not available just now.",
}
_STATUS = re.compile(r"\b(?:4\d\d|50[23])\b")
SECURITY: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An access token, as signing in returns it."},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "vetrina_session",
        "description": "A browser's session; over https the cookie's name is __Host-vetrina.",
    },
}
PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "A refusal (RFC 9457). `type` names it for programs, `detail` is for people; some refusals say more.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "field": {"type": "string", "description": "The field that the refusal belongs to."},
    },
    "additionalProperties": True,
}


def document(app: Litestar) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document; made once for an application, and not to be changed."""
    return _document(app)


@lru_cache(maxsize=8)
def _document(app: Litestar) -> dict[str, Any]:
    document: dict[str, Any] = app.openapi_schema.to_schema()
    components = document.setdefault("components", {})
    components["securitySchemes"] = SECURITY
    components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    handlers = _handlers(app)
    examples = api_examples.load(module.name for module in app.state.services.modules.loaded)
    for path, item in document.get("paths", {}).items():
        for method, operation in item.items():
            _complete(operation, path, handlers[method.upper(), path])
            if example := examples.get(f"{method.upper()} {path}"):
                api_examples.attach(operation, example)
    return cast("dict[str, Any]", _unambiguous(document))


def _complete(operation: dict[str, Any], path: str, handler: HTTPRouteHandler) -> None:
    guards: list[Any] = handler.resolve_guards()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    guarded = any(getattr(guard, "func", guard) is not declared_parameters for guard in guards)  # the others ask who it is
    operation["security"] = [{"bearer": []}, {"cookie": []}] if guarded else [{}, {"bearer": []}, {"cookie": []}]
    statuses = {"400", "401", "403", "422", "429", "503", *_STATUS.findall(operation.get("description", ""))}
    if "{" in path or guarded:
        statuses.add("404")
    if "requestBody" in operation:
        statuses |= {"409", "413"}
    responses = operation["responses"]
    for status in sorted(statuses & _REFUSED.keys()):
        responses[status] = _refusal(_REFUSED[status])
    responses["4XX"] = _refusal("Any other refusal.")


def _refusal(text: str) -> dict[str, Any]:
    return {"description": text, "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def _handlers(app: Litestar) -> dict[tuple[str, str], HTTPRouteHandler]:
    handlers: dict[tuple[str, str], HTTPRouteHandler] = {}
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            for method in handler.http_methods:
                handlers[str(method), re.sub(r":\w+}", "}", route.path)] = handler
    return handlers


def _unambiguous(value: Any) -> Any:
    """Return a schema in which no `oneOf` has both numbers and integers, which are numbers too."""
    if isinstance(value, list):
        return [_unambiguous(item) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    result = {key: _unambiguous(item) for key, item in cast("dict[str, Any]", value).items()}
    kinds = result.get("oneOf")
    if isinstance(kinds, list) and {"type": "number"} in kinds:
        result["oneOf"] = [kind for kind in cast("list[Any]", kinds) if kind != {"type": "integer"}]
    return result
