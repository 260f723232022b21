"""Small pages that belong to no module: the theme switch and the API's documentation."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from vetrina.core.web import pages
from vetrina.core.web.request import Request

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


@post("/theme", include_in_schema=False)
async def theme(data: Form) -> Redirect:
    """Light, dark, or as the system has it; kept in a cookie."""
    chosen = data.get("theme", "auto")
    theme = chosen if chosen in {"light", "dark"} else "auto"
    cookie = Cookie("theme", value=theme, max_age=31536000, samesite="lax", path="/")
    return pages.go(pages.local(data.get("next"), "/"), cookies=[cookie])


@get("/api/docs", include_in_schema=False, sync_to_thread=False)
def docs(request: Request) -> Response[str]:
    """Every call of the API, read from the OpenAPI document itself."""
    schema = request.app.openapi_schema.to_schema()
    calls = [
        {
            "method": method.upper(),
            "path": path,
            "summary": operation.get("description") or operation.get("summary", ""),
            "tag": (operation.get("tags") or ["other"])[0],
            "parameters": operation.get("parameters", []),
            "answers": sorted(operation.get("responses", {})),
        }
        for path, item in schema.get("paths", {}).items()
        for method, operation in item.items()
        if method in {"get", "post", "put", "patch", "delete"}
    ]
    tags = sorted({str(call["tag"]) for call in calls})
    groups = [{"tag": tag, "calls": [call for call in calls if call["tag"] == tag]} for tag in tags]
    return pages.render(request, "docs.html", groups=groups)


@get("/api/docs/openapi.json", include_in_schema=False, sync_to_thread=False)
def document(request: Request) -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    return request.app.openapi_schema.to_schema()


ROUTES: list[Any] = [theme, docs, document]
