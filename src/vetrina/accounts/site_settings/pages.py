"""The operator's page of settings."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post

from vetrina.accounts.roles.guards import operator
from vetrina.core import site_settings as platform
from vetrina.core.errors import Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request

GROUPS = [
    ("Rate limits", "Count/seconds: 100/60 is a hundred a minute; 0/60 is without end.", True),
    ("Everything else", "", False),
]


@get("/operator/settings", guards=[operator], include_in_schema=False)
async def settings(request: Request) -> Response[str]:
    """Every setting with a field for its value."""
    return await _settings(request)


@post("/operator/settings/{key:str}", guards=[operator], include_in_schema=False)
async def change(request: Request, key: str, data: Form) -> Response[Any]:
    """Keep another value, or say beside it what is wrong."""
    text = data.get("value", "")[:8000]
    try:
        async with request.tx() as tx:
            row = await platform.put(tx, key, platform.written(text))
    except platform.BadValue as refused:
        return await _settings(request, key=key, text=text, refused=refused)
    return pages.go("/operator/settings", flash=("good", f"{row.key} is {platform.shown(row)} now."))


async def _settings(request: Request, *, key: str = "", text: str = "", refused: Refusal | None = None) -> Response[str]:
    async with request.read() as tx:
        rows = await tx.all(platform.LIST)
    groups: list[dict[str, Any]] = [
        {
            "title": title,
            "about": about,
            "settings": [
                {
                    "key": row.key,
                    "description": row.description,
                    "value": text if row.key == key else platform.shown(row),
                    "error": refused.message if refused and row.key == key else None,
                    "updated_at": row.updated_at,
                }
                for row in rows
                if row.key.startswith("limits.") is limits
            ],
        }
        for title, about, limits in GROUPS
    ]
    return pages.render(
        request,
        "accounts/site_settings/settings.html",
        status=refused.status if refused else 200,
        nav="operator",
        groups=groups,
    )


ROUTES: list[Any] = [settings, change]
