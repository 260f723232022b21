"""Pages of an account's own posts: the list, the composer."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.datastructures import FormMultiDict
from litestar.params import Parameter, QueryParameter
from litestar.response import Redirect

from vetrina.core.database import paging
from vetrina.core.database.ids import read_id
from vetrina.core.errors import NotFound, Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.paging import Cursor
from vetrina.core.web.request import Request, signed_in
from vetrina.gallery import presenters
from vetrina.gallery.model import ALT_LENGTH, BODY_LENGTH, IMAGES_LIMIT, TITLE_LENGTH, PostRow, PostStatus, Visibility
from vetrina.gallery.posts import actions, queries
from vetrina.gallery.posts.actions import ImageRequest, PostRequest
from vetrina.gallery.queries import ONE
from vetrina.media import queries as media
from vetrina.media.files import actions as files
from vetrina.media.files import picker
from vetrina.media.files import upload_form as uploads
from vetrina.media.model import Category
from vetrina.web.i18n import N_, say

PAGE, CHOICES = 24, 24
"""Own posts of a page, and library pictures beside the composer."""
TABS: list[tuple[str, str]] = [
    ("", N_("All")),
    (PostStatus.DRAFT, N_("Drafts")),
    (PostStatus.PUBLISHED, N_("Published")),
    (PostStatus.ARCHIVED, N_("Archived")),
]
VISIBILITIES = {
    Visibility.PUBLIC: N_("Everyone"),
    Visibility.FOLLOWERS: N_("Approved followers"),
    Visibility.LINK: N_("Anyone with the link"),
}


@get("/posts", guards=[signed_in], include_in_schema=False)
async def own_posts(
    request: Request, post_status: Annotated[str, QueryParameter(name="status")] = "", cursor: Cursor = None
) -> Response[str]:
    """Show the account's own posts."""
    account = request.account.id
    chosen = post_status if post_status in set(PostStatus) else ""
    async with request.read() as tx:
        page = await paging.fetch(tx, queries.MINE, cursor, PAGE, account=account, viewer=account, status=chosen or None)
    posts = [
        {
            "href": presenters.path(row) if row.status != PostStatus.DRAFT else f"/posts/{row.id}/edit",
            "title": row.title or say("Without a title"),
            "status": say(next(title for value, title in TABS if value == row.status)) if row.status != "published" else "",
            "picture": next(iter(presenters.images(request.services, row)), None),
            "likes": row.likes,
            "comments": row.comments,
        }
        for row in page.items
    ]
    return pages.render(
        request,
        "gallery/posts/mine.html",
        nav="posts",
        posts=posts,
        older=page.older("/posts", {"status": chosen}),
        tabs=[{"status": value, "title": say(title)} for value, title in TABS],
        chosen=chosen,
    )


Ids = Annotated[list[UUID] | None, Parameter(max_items=IMAGES_LIMIT)]


@get("/posts/new", guards=[signed_in], include_in_schema=False)
async def new(request: Request, file: Ids = None) -> Response[str]:
    """Show the composer, with files of the library chosen."""
    return await _composer(request, None, PostRequest(images=[ImageRequest(file_id) for file_id in file or []]))


@get("/posts/new/{generation_id:uuid}", guards=[signed_in], include_in_schema=False)
async def new_of_generation(request: Request, generation_id: UUID) -> Response[str]:
    """Show the composer with the pictures of a generation. 404 for one without pictures."""
    async with request.read() as tx:
        ids = await tx.fetch_all(queries.RESULT_FILES, account=request.account.id, id=generation_id)
    if not ids:
        raise NotFound
    return await _composer(request, None, PostRequest(images=[ImageRequest(file_id) for file_id in ids]))


@post("/posts", guards=[signed_in], include_in_schema=False, request_max_body_size=uploads.MANY_FILES)
async def create(request: Request) -> Response[Any]:
    """Keep a draft, or publish it at once."""
    return await _save(request, None)


@get("/posts/{post_id:uuid}/edit", guards=[signed_in], include_in_schema=False)
async def edit(request: Request, post_id: UUID) -> Response[str]:
    """Show the composer with a post."""
    row = await _own(request, post_id)
    images = [ImageRequest(UUID(image["file"]["id"]), image["alt"]) for image in row.images]
    return await _composer(request, row, PostRequest(row.title, row.body, Visibility(row.visibility), images))


@post("/posts/{post_id:uuid}/edit", guards=[signed_in], include_in_schema=False, request_max_body_size=uploads.MANY_FILES)
async def save(request: Request, post_id: UUID) -> Response[Any]:
    """Save a post."""
    return await _save(request, post_id)


@post("/posts/{post_id:uuid}/publication", guards=[signed_in], include_in_schema=False)
async def publish(request: Request, post_id: UUID, data: Form) -> Redirect:
    """Publish a post, or (field `undo`) archive it."""
    account, undo = request.account.id, bool(data.get("undo"))
    async with request.tx() as tx:
        await (actions.archive if undo else actions.publish)(tx, account, post_id)
    message = say("Archived. Only you see it.") if undo else say("Published")
    return pages.redirect(f"/posts/{account}/{post_id}", flash=("good", message))


@post("/posts/{post_id:uuid}/deletion", guards=[signed_in], include_in_schema=False)
async def delete(request: Request, post_id: UUID) -> Response[str]:
    """Delete a post and offer to restore it."""
    async with request.tx() as tx:
        await actions.delete(tx, request.account.id, post_id)
    return pages.render(request, "gallery/posts/deleted.html", nav="posts", post_id=post_id)


@post("/posts/{post_id:uuid}/restoration", guards=[signed_in], include_in_schema=False)
async def restore(request: Request, post_id: UUID) -> Redirect:
    """Restore a deleted post."""
    async with request.tx() as tx:
        await actions.restore(tx, request.account.id, post_id)
    return pages.redirect(f"/posts/{request.account.id}/{post_id}", flash=("good", say("Restored")))


async def _own(request: Request, post_id: UUID) -> PostRow:
    account = request.account.id
    async with request.read() as tx:
        return await tx.fetch_one(ONE, account=account, id=post_id, viewer=account)


async def _save(request: Request, post_id: UUID | None) -> Response[Any]:
    account = request.account.id
    form = await uploads.form_of(request)
    data = _read(form)
    try:
        for file in uploads.files_of(form):
            if file.filename:
                row = await uploads.take(request.services, account, file, Category.POST)
                data = PostRequest(data.title, data.body, data.visibility, [*data.images, ImageRequest(row.id)])
        async with request.tx() as tx:
            if post_id is None:
                saved = await actions.create(tx, account, data)
            else:
                await actions.change(tx, account, saved := post_id, data)
            if form.get("publish"):
                await actions.publish(tx, account, saved)
    except NotFound:
        raise
    except Refusal as refusal:
        row_ = await _own(request, post_id) if post_id else None
        return await _composer(request, row_, data, refusal)
    if form.get("publish"):
        return pages.redirect(f"/posts/{account}/{saved}", flash=("good", say("Published")))
    return pages.redirect(f"/posts/{saved}/edit", flash=("good", say("Saved")))


def _read(form: FormMultiDict) -> PostRequest:
    """Return the post of a form: pictures that are checked, by their numbers."""
    ids = [file_id for value in form.getall("image", []) if (file_id := read_id(value)) is not None]
    order = {file_id: _number(form.get(f"order_{file_id}")) for file_id in ids}
    images = [
        ImageRequest(file_id, str(form.get(f"alt_{file_id}") or ""))
        for file_id in sorted(dict.fromkeys(ids), key=lambda item: order[item])
    ]
    chosen = str(form.get("visibility") or Visibility.PUBLIC)
    visibility = Visibility(chosen) if chosen in set(Visibility) else Visibility.PUBLIC
    return PostRequest(str(form.get("title") or ""), str(form.get("body") or ""), visibility, images)


def _number(text: object) -> int:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 4 else 999


async def _composer(request: Request, row: PostRow | None, data: PostRequest, refusal: Refusal | None = None) -> Response[str]:
    account, services = request.account.id, request.services
    chosen = [image.file_id for image in data.images]
    async with request.read() as tx:
        stored = {file.id: file for file in await tx.fetch_all(media.SOME, account=account, ids=chosen)}
        library = await files.search(tx, account, None, CHOICES)
    alts = {image.file_id: image.alt for image in data.images}
    pictures = [
        {**picker.to_card(services, stored[file_id]), "described": alts[file_id], "number": number}
        for number, file_id in enumerate(chosen, 1)
        if file_id in stored
    ]
    return pages.render(
        request,
        "gallery/posts/composer.html",
        refusal=refusal,
        fields={"title", "body", "images"},
        nav="posts",
        post=row,
        data=data,
        pictures=pictures,
        library=[picker.to_card(services, file) for file in library.items if file.id not in stored],
        visibilities=[{"value": value.value, "title": say(title)} for value, title in VISIBILITIES.items()],
        accept=uploads.accepted(request.services.settings),
        title_length=TITLE_LENGTH,
        body_length=BODY_LENGTH,
        alt_length=ALT_LENGTH,
        limit=IMAGES_LIMIT,
    )


ROUTES: list[Any] = [own_posts, new, new_of_generation, create, edit, save, publish, delete, restore]
