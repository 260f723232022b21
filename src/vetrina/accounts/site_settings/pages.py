"""The operators' page of site settings."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post

from vetrina.accounts.roles.guards import operator
from vetrina.accounts.site_settings.actions import is_sensitive
from vetrina.core import site_settings
from vetrina.core.errors import Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import confirmed_if
from vetrina.web.i18n import say

GROUPS = [
    ("Rate limits", "Count/seconds: 100/60 is a hundred a minute; 0/60 is no limit.", True),
    ("Everything else", "", False),
]


@get("/operator/settings", guards=[operator], include_in_schema=False)
async def list_settings(request: Request) -> Response[str]:
    """Show every setting with a field for its value."""
    return await _settings(request)


@post("/operator/settings/{key:str}", guards=[operator], include_in_schema=False, opt=confirmed_if(is_sensitive))
async def change(request: Request, key: str, data: Form) -> Response[Any]:
    """Change a setting, or show what is wrong beside it."""
    text = data.get("value", "")[:8000]
    try:
        async with request.tx() as tx:
            row = await site_settings.put(tx, key, site_settings.parse_value(text))
    except site_settings.BadValue as refusal:
        return await _settings(request, key=key, text=text, refusal=refusal)
    return pages.redirect(
        "/operator/settings",
        flash=("good", say("{key} is {value} now.", key=row.key, value=site_settings.format_value(row.key, row.value))),
    )


async def _settings(request: Request, *, key: str = "", text: str = "", refusal: Refusal | None = None) -> Response[str]:
    async with request.read() as tx:
        rows = await tx.fetch_all(site_settings.LIST)
    groups: list[dict[str, Any]] = [
        {
            "title": title,
            "about": about,
            "settings": [
                {
                    "key": row.key,
                    "description": row.description,
                    "value": text if row.key == key else site_settings.format_value(row.key, row.value),
                    "error": refusal.message if refusal and row.key == key else None,
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
        refusal=refusal,
        nav="operator",
        groups=groups,
    )


ROUTES: list[Any] = [list_settings, change]
