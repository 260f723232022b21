"""Profiles: the public page of a handle, and the editor of one's own."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from litestar import Response, get, post

from vetrina.accounts.profiles import actions as profiles
from vetrina.accounts.profiles import queries as profile_queries
from vetrina.accounts.profiles.model import BusinessChange, ContactInfo, InvalidSocialLink, ProfileChange, ProfileInfo
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import read_id
from vetrina.core.errors import NotFound, Refusal
from vetrina.core.web import pages, paging
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.paging import Cursor
from vetrina.core.web.request import Request, signed_in
from vetrina.media import links
from vetrina.media.files import actions
from vetrina.media.files import picker as shelf
from vetrina.media.files import upload_form as uploads
from vetrina.media.model import Category, FileRow
from vetrina.media.portraits import actions as portraits
from vetrina.media.portraits import queries as queries_profiles
from vetrina.media.portraits.actions import Face
from vetrina.media.portraits.model import ProfileRow

HERE = "/settings/profile"
PAGE = 36
CHOICES = 18
"""Pictures of the library that one can choose a portrait from."""


@get("/@/{handle:str}", include_in_schema=False)
async def profile(request: Request, handle: str, cursor: Cursor = None) -> Response[Any]:
    """Who has the handle, and their pictures that everybody may see. A former handle leads to the present one."""
    async with request.read() as tx:
        context = await header(request, tx, handle)
        if isinstance(context, str):
            return pages.redirect(context)
        account = context["profile_id"]
        rows = await tx.all(queries_profiles.PICTURES, account=account, before=paging.after(cursor), limit=PAGE + 1)
    page = paging.page(rows, PAGE, lambda row: row.id, lambda row: _picture(request, row, context["title"]))
    older = f"{context['href']}?cursor={page.next_cursor}" if page.next_cursor else None
    return pages.render(request, "media/portraits/profile.html", **context, tab="pictures", pictures=page.items, older=older)


async def header(request: Request, tx: Tx, handle: str) -> dict[str, Any] | str:
    """What `media/profile.html` shows above its tabs; or where to go instead. Raises NotFound (404).

    A module above brings a tab of its own: a route `/@/{handle:str}/NAME`, this, and a template that extends that one.
    """
    wanted = handle.lower()
    row = await tx.maybe(queries_profiles.PROFILE, handle=wanted)
    if row is None:
        if (now := await tx.maybe(profile_queries.MOVED, handle=wanted)) is not None:
            return f"/@{now}"
        raise NotFound
    if handle != wanted:
        return f"/@{wanted}"
    shown = portraits.profile(request.services, row)
    face = shown.business.logo if shown.business and row.kind == "vendor" else shown.avatar
    return {
        "profile": shown,
        "profile_id": row.account_id,
        "title": shown.name or f"@{row.handle}",
        "face": face,
        "href": f"/@{row.handle}",
        "mine": request.principal is not None and request.principal.id == row.account_id,
        "website": _website(row),
        "networks": _networks(row),
    }


@get(HERE, guards=[signed_in], include_in_schema=False)
async def editor(request: Request) -> Response[str]:
    """One's profile, to be written."""
    return await _editor(request)


@post(HERE, guards=[signed_in], include_in_schema=False)
async def save(request: Request, data: Form) -> Response[Any]:
    """Keep handle, name and bio."""
    wanted = ProfileChange(handle=data.get("handle", ""), name=data.get("name", ""), bio=data.get("bio", ""))
    return await _keep(request, wanted, data, "person")


@post(HERE + "/business", guards=[signed_in], include_in_schema=False)
async def save_business(request: Request, data: Form) -> Response[Any]:
    """Keep the business face; a user who has none gets one."""
    business = BusinessChange(
        business_name=data.get("business_name", ""),
        bio=data.get("business_bio", ""),
        profile_info=ProfileInfo(*(data.get(name) for name in ("tagline", "location", "website"))),
        contact_info=ContactInfo(*(data.get(name) for name in ("email", "phone", "address"))),
        social_links={name: data.get(name, "") for name in profiles.NETWORKS},
    )
    return await _keep(request, ProfileChange(business=business), data, "business")


@post(HERE + "/business/removal", guards=[signed_in], include_in_schema=False)
async def remove_business(request: Request) -> Response[Any]:
    """A user's business face goes, with its logo."""
    return await _keep(request, ProfileChange(business=None), {}, "business")


@post(HERE + "/portraits/{face:str}", guards=[signed_in], include_in_schema=False, request_max_body_size=uploads.ONE_FILE)
async def save_portrait(request: Request, face: Literal["avatar", "logo"]) -> Response[Any]:
    """Use a picture of the library, or one that comes with the form, or none."""
    form = await uploads.form_of(request)
    chosen: UUID | None
    try:
        files = [each for each in uploads.files_of(form) if each.filename]
        if form.get("remove"):
            chosen = None
        elif files:
            chosen = (await uploads.take(request.services, request.account.id, files[0], Category.PROFILE)).id
        else:
            chosen = _uuid(form.get("file_id"))
        async with request.tx() as tx:
            await portraits.show(tx, request.account.id, face, chosen)
    except Refusal as refused:
        return await _editor(request, part=face, refused=refused)
    return pages.redirect(f"{HERE}#{face}", flash=("good", "Saved"))


async def _keep(request: Request, wanted: ProfileChange, data: dict[str, str], part: str) -> Response[Any]:
    who = request.account
    try:
        async with request.tx() as tx:
            await portraits.change(tx, who.id, who.kind, wanted)
    except Refusal as refused:
        return await _editor(request, data, part=part, refused=refused)
    return pages.redirect(f"{HERE}#{part}" if part == "business" else HERE, flash=("good", "Saved"))


async def _editor(
    request: Request, data: dict[str, str] | None = None, *, part: str = "", refused: Refusal | None = None
) -> Response[str]:
    account = request.account.id
    async with request.read() as tx:
        row = await tx.one(queries_profiles.MINE, account=account)
        rows = await actions.found(tx, account, before=paging.FIRST, limit=CHOICES)
    shown = portraits.profile(request.services, row)
    typed = data or {}
    values = {name: (typed.get(name) or "") if name in typed else (kept or "") for name, kept in _fields(row, shown).items()}
    page = pages.render(
        request,
        "media/portraits/edit.html",
        status=refused.status if refused else 200,
        nav="account",
        profile=shown,
        vendor=row.kind == "vendor",
        values=values,
        part=part,
        errors={_field(refused, part): refused.message} if refused else {},
        handle_may_change_at=row.handle_may_change_at,
        networks=[{"name": name, "title": title} for name, (title, _) in profiles.NETWORKS.items()],
        choices=[shelf.item(request.services, each) for each in rows],
        accept=uploads.ACCEPT,
        faces=_faces(shown, vendor=row.kind == "vendor"),
    )
    if refused:
        page.headers.update(refused.headers)
    return page


def _fields(row: ProfileRow, shown: portraits.Profile) -> dict[str, str | None]:
    """Every field of the editor, as it is kept."""
    facts: dict[str, Any] = row.business or {}
    found = dict.fromkeys(("tagline", "location", "website", "email", "phone", "address", *profiles.NETWORKS))
    for each in ("profile_info", "contact_info", "social_links"):
        found |= facts.get(each, {})
    business = {"business_name": facts.get("business_name"), "business_bio": facts.get("bio")}
    return {"handle": row.handle, "name": shown.name, "bio": shown.bio, **business, **found}


def _faces(shown: portraits.Profile, *, vendor: bool) -> list[dict[str, Any]]:
    """The portraits that one can choose: a vendor's account has no person."""
    faces: list[tuple[Face, str, portraits.Portrait | None]] = []
    if not vendor:
        faces.append(("avatar", "Your picture", shown.avatar))
    if shown.business:
        faces.append(("logo", "Logo", shown.business.logo))
    return [{"name": name, "title": title, "picture": picture} for name, title, picture in faces]


def _field(refused: Refusal, part: str) -> str:
    """Beside which field of the form it is said."""
    if isinstance(refused, InvalidSocialLink):
        return str(refused.details.get("network", "business"))
    if refused.field == "contact_info":
        return "phone" if "phone" in refused.message else "email"
    if refused.field == "bio" and part == "business":
        return "business_bio"
    if refused.field == "business_name" and part == "person":
        return "name"
    return refused.field or part


def _website(row: ProfileRow) -> dict[str, Any] | None:
    address = (row.business or {}).get("profile_info", {}).get("website")
    if not address:
        return None
    host = address.removeprefix("https://").rstrip("/")
    return {"href": address, "title": host, "proven": profiles.is_on_domain(address, row.verified_domains)}


def _networks(row: ProfileRow) -> list[dict[str, str]]:
    found = (row.business or {}).get("social_links", {})
    return [{"href": found[name], "title": title} for name, (title, _) in profiles.NETWORKS.items() if name in found]


def _picture(request: Request, row: FileRow, by: str) -> dict[str, Any]:
    """A picture on the wall; one that was made here leads to its page."""
    shown = shelf.item(request.services, row, size=links.THUMBNAIL)
    made_in = row.metadata.get("generation_id")
    whole = links.original_url(request.services, row.account_id, row.facts())
    page = request.services.modules.link("picture", account=row.account_id, id=made_in) if made_in else None
    href = page or whole
    return {**shown, "href": href, "title": None, "by": None, "alt": f"{shown['alt']}, by {by}"}


def _uuid(text: object) -> UUID:
    found = read_id(text)
    if found is None:
        raise NotFound("Choose a picture first.")
    return found


ROUTES: list[Any] = [profile, editor, save, save_business, remove_business, save_portrait]
