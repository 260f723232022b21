"""The operator's pages for visitors, and their editor for operators."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post

from vetrina.accounts.roles.guards import operator
from vetrina.accounts.site_pages import actions, queries
from vetrina.accounts.site_pages.markdown import to_html
from vetrina.accounts.site_pages.model import LIMIT, TITLES, SitePageRow
from vetrina.core.errors import NotFound, Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.public.link_preview import LinkPreview, absolute
from vetrina.core.web.request import Request
from vetrina.web import i18n
from vetrina.web.i18n import LANGUAGES, Language, say

FORM_BYTES = 512 * 1024
"""Persian letters take six bytes each in a form."""
PATH = "/operator/pages"


@get([f"/{name}" for name in TITLES], include_in_schema=False)
async def page(request: Request, lang: str | None = None) -> Response[str]:
    """Show a page in the language of `lang`, else in the reader's, else in one that it is written in."""
    name = request.url.path.strip("/")
    async with request.read() as tx:
        rows = {row.language: row for row in await tx.fetch_all(queries.LANGUAGES_OF, name=name)}
    if not rows:
        raise NotFound
    preferred = i18n.current()
    language = next(code for code in (i18n.named(lang), preferred, *LANGUAGES) if code in rows)
    response = _page(request, name, rows[language], [code for code in LANGUAGES if code in rows])
    response.headers["Vary"] = "Accept-Language"
    return response


def _page(request: Request, name: str, row: SitePageRow, languages: list[Language]) -> Response[str]:
    language = row.language
    with i18n.use(language):
        title = say(TITLES[name])
        return pages.render(
            request,
            "accounts/site_pages/page.html",
            lang=language,
            dir=i18n.direction(language),
            title=title,
            html=to_html(row.body),
            updated_at=row.updated_at,
            languages=[{"code": code, "title": i18n.TITLES[code], "href": f"/{name}?lang={code}"} for code in languages],
            preview=LinkPreview(title=title, description=title, url=absolute(request.services, f"/{name}?lang={language}")),
        )


@get(PATH, guards=[operator], include_in_schema=False)
async def list_pages(request: Request) -> Response[str]:
    """List the pages with the languages that they are written in."""
    async with request.read() as tx:
        rows = {(row.name, row.language): row for row in await tx.fetch_all(queries.ALL)}
    items: list[dict[str, Any]] = [
        {
            "name": name,
            "title": title,
            "languages": [
                {
                    "code": code,
                    "title": i18n.TITLES[code],
                    "href": f"{PATH}/{name}/{code}",
                    "updated_at": rows[name, code].updated_at if (name, code) in rows else None,
                }
                for code in LANGUAGES
            ],
        }
        for name, title in TITLES.items()
    ]
    return pages.render(request, "accounts/site_pages/list.html", nav="operator", items=items)


@get(PATH + "/{name:str}/{code:str}", guards=[operator], include_in_schema=False)
async def editor(request: Request, name: str, code: str) -> Response[str]:
    """Show the editor of a page in one language."""
    language = actions.check_key(name, code)
    async with request.read() as tx:
        rows = {row.language: row for row in await tx.fetch_all(queries.LANGUAGES_OF, name=name)}
    return _editor(request, name, language, rows[language].body if language in rows else "")


@post(PATH + "/{name:str}/{code:str}", guards=[operator], include_in_schema=False, request_max_body_size=FORM_BYTES)
async def save(request: Request, name: str, code: str, data: Form) -> Response[Any]:
    """Save a text, or show how it would look."""
    language = actions.check_key(name, code)
    body = data.get("body", "")
    if data.get("action") == "preview":
        return _editor(request, name, language, body, previewed=True)
    try:
        async with request.tx() as tx:
            await actions.write(tx, name, language, body)
    except Refusal as refusal:
        return _editor(request, name, language, body, refusal=refusal)
    return pages.redirect(PATH, flash=("good", say("Saved")))


def _editor(
    request: Request, name: str, language: Language, body: str, *, previewed: bool = False, refusal: Refusal | None = None
) -> Response[str]:
    return pages.render(
        request,
        "accounts/site_pages/edit.html",
        nav="operator",
        refusal=refusal,
        fields=["body"],
        name=name,
        title=TITLES[name],
        language={"code": language, "title": i18n.TITLES[language], "dir": i18n.direction(language)},
        body=body,
        limit=LIMIT,
        html=to_html(body[:LIMIT]) if previewed else None,
    )


ROUTES: list[Any] = [page, list_pages, editor, save]
