"""Pages of the library: the account's own images."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response, get, post
from litestar.params import Parameter

from vetrina.accounts.storage import actions as storage
from vetrina.core.errors import NotFound, Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.paging import Cursor
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import limited
from vetrina.media import links, queries
from vetrina.media.files import actions, picker, quota, samples
from vetrina.media.files import upload_form as uploads
from vetrina.media.files.names import TAG_LIMIT
from vetrina.media.model import Category, FileRow, InvalidTag, TooManyTags
from vetrina.media.processing.images import MAX_BYTES
from vetrina.web.i18n import count, say

PAGE = 36
"""Images per page of the grid."""
AT_ONCE = 20
"""Files accepted from one form without scripts; with scripts each file is a request of its own."""
_MIMES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP"}
_UPLOADED = [{"value": item.value, "title": picker.TITLES[item]} for item in (Category.PRODUCT, Category.MODEL, Category.PROFILE)]
_USES = {"product_image": "product", "model_image": "model", "generated_image": "product"}
_CUTTABLE = {*_USES, "generated_image"}
_SHARE_NOTE = "Shown in the public gallery if it was generated here, and to anyone with its address."


@get("/library", guards=[signed_in], include_in_schema=False)
async def library(
    request: Request,
    category: Annotated[str, Parameter(max_length=32)] = "",
    tag: Annotated[str, Parameter(max_length=TAG_LIMIT)] = "",
    q: Annotated[str, Parameter(max_length=100)] = "",
    cursor: Cursor = None,
) -> Response[str]:
    """Show the grid, newest first."""
    return await _grid(request, category=category if category in picker.TITLES else "", tag=tag, q=q.strip(), cursor=cursor)


@post(
    "/library",
    guards=[signed_in],
    include_in_schema=False,
    request_max_body_size=uploads.MANY_FILES,
    opt=limited("uploads"),
)
async def upload(request: Request) -> Response[Any]:
    """Upload files without scripts: accept valid ones, report the others by name."""
    form = await uploads.form_of(request)
    files, errors, added = uploads.files_of(form), list[dict[str, str]](), 0
    category = form.get("category")
    for number, file in enumerate(files):
        if number >= AT_ONCE:
            errors.append({"name": file.filename, "text": f"At most {AT_ONCE} files are accepted at once. Send it again."})
            continue
        try:
            await uploads.take(request.services, request.account.id, file, category if isinstance(category, str) else "")
            added += 1
        except Refusal as refusal:
            stuck = {"stuck": "1"} if refusal.status in {402, 409} else {}
            errors.append({"name": file.filename, "text": refusal.message, **stuck})
    if not files:
        errors.append({"name": "No file was chosen", "text": "Choose one or more pictures first."})
    if errors:
        return await _grid(request, errors=errors, status=422)
    return pages.redirect("/library", flash=("good", count("{n} picture added", "{n} pictures added", added)))


@post("/library/samples", guards=[signed_in], include_in_schema=False, opt=limited("uploads"))
async def add_sample(request: Request, data: Form) -> Response[Any]:
    """Add a sample photograph to the library, and go on to the studio with it, where there is one."""
    try:
        row = await samples.add(request.services, request.account.id, data.get("sample", ""))
    except NotFound:
        raise
    except Refusal as refusal:
        return await _grid(request, errors=[{"name": say("Sample photograph"), "text": refusal.message}], refusal=refusal)
    use_page = request.services.modules.link("use_file")
    onward = f"{use_page}?{_USES[row.category]}={row.id}" if use_page else "/library"
    return pages.redirect(onward, flash=("good", say("The sample photograph is in your library.")))


@get("/library/picks", guards=[signed_in], include_in_schema=False)
async def picks(
    request: Request,
    role: Literal["product", "model"],
    chosen: Annotated[list[UUID] | None, Parameter(max_items=picker.MAX_CHOSEN)] = None,
    cursor: Cursor = None,
) -> Response[str]:
    """Return more images to choose from, for the studio."""
    async with request.read() as tx:
        context = await picker.picker_context(request.services, tx, request.account.id, role, chosen=chosen or (), cursor=cursor)
    return pages.render(request, "media/files/picker_page.html", role=role, chosen=chosen or [], **context)


@get("/library/{file_id:uuid}", guards=[signed_in], include_in_schema=False)
async def file(request: Request, file_id: UUID) -> Response[str]:
    """Show an image and its details."""
    async with request.read() as tx:
        return _file_page(request, await tx.fetch_one(queries.ONE, account=request.account.id, id=file_id))


@post("/library/{file_id:uuid}", guards=[signed_in], include_in_schema=False)
async def save(request: Request, file_id: UUID) -> Response[Any]:
    """Save tags and visibility."""
    account = request.account.id
    form = await uploads.form_of(request)
    tags_text = str(form.get("tags") or "")
    try:
        async with request.tx() as tx:
            tags = [item for item in tags_text.split(",") if item.strip()]
            await actions.change(tx, account, file_id, tags=tags, is_public="is_public" in form)
    except (InvalidTag, TooManyTags) as refusal:
        async with request.read() as tx:
            row = await tx.fetch_one(queries.ONE, account=account, id=file_id)
        return _file_page(request, row, tags_text=tags_text, refusal=refusal)
    return pages.redirect(f"/library/{file_id}", flash=("good", say("Saved")))


async def _grid(
    request: Request,
    *,
    category: str = "",
    tag: str = "",
    q: str = "",
    cursor: str | None = None,
    errors: list[dict[str, str]] | None = None,
    status: int = 200,
    refusal: Refusal | None = None,
) -> Response[str]:
    account = request.account.id
    async with request.read() as tx:
        page = await actions.search(tx, account, cursor, PAGE, category=category or None, tag=tag or None, q=q or None)
        used = await tx.fetch_all(queries.USED, account=account)
        tags = await tx.fetch_all(queries.TAGS, account=account)
        stored = await storage.use(tx, account)
        uploads_left = await quota.left(tx, account)
        sample_cards = await samples.offered(tx, account)
    return pages.render(
        request,
        "media/files/library.html",
        status=status,
        refusal=refusal,
        nav="library",
        files=[picker.to_card(request.services, row) for row in page.items],
        categories=[{"value": item.category, "title": say(picker.TITLES[item.category]), "count": item.files} for item in used],
        category=category,
        upload_categories=[{**item, "title": say(item["title"])} for item in _UPLOADED],
        tags=tags,
        tag=tag,
        q=q,
        storage=stored,
        uploads_left=uploads_left,
        samples=sample_cards,
        stuck=any(item.get("stuck") for item in errors or []),
        picture_count=sum(item.files for item in used),
        selection_actions=[{**item, "title": say(item["title"])} for item in picker.SELECTION_ACTIONS],
        older=page.older("/library", {"category": category, "tag": tag, "q": q}),
        accept=uploads.accepted(request.services.settings),
        max_bytes=MAX_BYTES,
        errors=errors or [],
    )


def _file_page(request: Request, row: FileRow, *, tags_text: str | None = None, refusal: Refusal | None = None) -> Response[str]:
    services, facts, modules = request.services, row.facts(), request.services.modules
    made_in = row.metadata.get("generation_id")
    card = picker.to_card(services, row) | {
        "url": links.thumbnail_url(services, row.account_id, facts, links.PREVIEW),
        "download_url": links.download_url(services, row.account_id, facts),
        "mime_title": _MIMES[row.mime],
        "tags": row.tags,
        "generation_href": modules.link("generation", id=made_in) if made_in else None,
    }
    use_page, use = modules.link("use_file"), _USES.get(row.category)
    return pages.render(
        request,
        "media/files/file.html",
        refusal=refusal,
        nav="library",
        file=card,
        usable=bool(use and use_page),
        use_href=f"{use_page}?{use}={row.id}",
        cut_out_href=modules.link("cut_out", id=row.id) if row.category in _CUTTABLE else None,
        values={"tags": ", ".join(row.tags) if tags_text is None else tags_text},
        share_note=_SHARE_NOTE,
        credit=samples.credit(row.metadata),
    )


ROUTES: list[Any] = [library, upload, add_sample, picks, file, save]
