"""Pages of profiles: the public page of a handle, and the editor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from litestar import Response, get, post

from vetrina.accounts.profiles import actions as profiles
from vetrina.accounts.profiles import queries as profile_queries
from vetrina.accounts.profiles.model import BusinessChange, ContactInfo, InvalidSocialLink, ProfileChange, ProfileInfo
from vetrina.core.database import paging
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import read_id
from vetrina.core.errors import NotFound, Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.paging import Cursor
from vetrina.core.web.public.link_preview import LinkPreview, absolute
from vetrina.core.web.request import Request, signed_in
from vetrina.media import links
from vetrina.media.files import actions, picker
from vetrina.media.files import upload_form as uploads
from vetrina.media.model import Category, FileRow
from vetrina.media.portraits import actions as portraits
from vetrina.media.portraits import queries
from vetrina.media.portraits.actions import Face
from vetrina.media.portraits.model import ProfileRow
from vetrina.media.share_cards import card_url
from vetrina.web.i18n import say

PATH = "/settings/profile"
PAGE = 36
CHOICES = 18
"""Images of the library offered as portraits."""


@get("/@/{handle:str}", include_in_schema=False)
async def profile(request: Request, handle: str, cursor: Cursor = None) -> Response[Any]:
    """Show a profile with its public images. A former handle redirects to the current one."""
    async with request.read() as tx:
        context = await header(request, tx, handle)
        if isinstance(context, str):
            return pages.redirect(context)
        account = context["profile_id"]
        page = await paging.fetch(tx, queries.PICTURES, cursor, PAGE, account=account)
    return pages.render(
        request,
        "media/portraits/profile.html",
        **context,
        tab="pictures",
        pictures=[_picture(request, row, context["title"]) for row in page.items],
        older=page.older(context["href"]),
        preview=_preview(request, context, page.items[:1]),
    )


def _preview(request: Request, context: dict[str, Any], newest: Sequence[FileRow]) -> LinkPreview:
    """Return what a shared link to a profile shows, with its newest image if there is one."""
    public_profile, title = context["profile"], context["title"]
    business = public_profile.business
    tagline = business.profile_info.get("tagline") if business else None
    image = next((card_url(request.services, row.account_id, row.facts()) for row in newest), None)
    return LinkPreview(
        title=f"{title} (@{public_profile.handle})",
        description=tagline or public_profile.bio or say("Pictures by {name} on Vetrina.", name=title),
        url=absolute(request.services, context["href"]),
        image=image,
        image_alt=say("The newest picture of {name}", name=title),
        kind="profile",
    )


async def header(request: Request, tx: Tx, handle: str) -> dict[str, Any] | str:
    """Return the context of the profile's header (`media/profile.html`), or a path to redirect to. Raises NotFound (404).

    Other modules add tabs with a route `/@/{handle:str}/NAME`, this function, and a template that extends that one.
    """
    canonical = handle.lower()
    row = await tx.fetch_optional(queries.PROFILE, handle=canonical)
    if row is None:
        if (now := await tx.fetch_optional(profile_queries.MOVED, handle=canonical)) is not None:
            return f"/@{now}"
        raise NotFound
    if handle != canonical:
        return f"/@{canonical}"
    await request.require_visible(tx, row.account_id)
    public_profile = portraits.profile(request.services, row)
    face = public_profile.business.logo if public_profile.business and row.kind == "vendor" else public_profile.avatar
    return {
        "profile": public_profile,
        "profile_id": row.account_id,
        "title": public_profile.name or f"@{row.handle}",
        "face": face,
        "href": f"/@{row.handle}",
        "mine": request.principal is not None and request.principal.id == row.account_id,
        "website": _website(row),
        "networks": _networks(row),
    }


@get(PATH, guards=[signed_in], include_in_schema=False)
async def editor(request: Request) -> Response[str]:
    """Show the profile editor."""
    return await _editor(request)


@post(PATH, guards=[signed_in], include_in_schema=False)
async def save(request: Request, data: Form) -> Response[Any]:
    """Save handle, name and bio."""
    change_ = ProfileChange(handle=data.get("handle", ""), name=data.get("name", ""), bio=data.get("bio", ""))
    return await _keep(request, change_, data, "person")


@post(PATH + "/business", guards=[signed_in], include_in_schema=False)
async def save_business(request: Request, data: Form) -> Response[Any]:
    """Save the business profile; a user without one gets one."""
    business = BusinessChange(
        business_name=data.get("business_name", ""),
        bio=data.get("business_bio", ""),
        profile_info=ProfileInfo(*(data.get(name) for name in ("tagline", "location", "website"))),
        contact_info=ContactInfo(*(data.get(name) for name in ("email", "phone", "address"))),
        social_links={name: data.get(name, "") for name in profiles.NETWORKS},
    )
    return await _keep(request, ProfileChange(business=business), data, "business")


@post(PATH + "/business/removal", guards=[signed_in], include_in_schema=False)
async def remove_business(request: Request) -> Response[Any]:
    """Remove a user's business profile with its logo."""
    return await _keep(request, ProfileChange(business=None), {}, "business")


@post(PATH + "/portraits/{face:str}", guards=[signed_in], include_in_schema=False, request_max_body_size=uploads.ONE_FILE)
async def save_portrait(request: Request, face: Literal["avatar", "logo"]) -> Response[Any]:
    """Set a portrait from the library or from an uploaded file, or remove it."""
    form = await uploads.form_of(request)
    chosen: UUID | None
    try:
        files = [item for item in uploads.files_of(form) if item.filename]
        if form.get("remove"):
            chosen = None
        elif files:
            chosen = (await uploads.take(request.services, request.account.id, files[0], Category.PROFILE)).id
        else:
            chosen = _uuid(form.get("file_id"))
        async with request.tx() as tx:
            await portraits.set_portrait(tx, request.account.id, face, chosen)
    except Refusal as refused:
        return await _editor(request, part=face, refused=refused)
    return pages.redirect(f"{PATH}#{face}", flash=("good", say("Saved")))


async def _keep(request: Request, change_: ProfileChange, data: dict[str, str], part: str) -> Response[Any]:
    account = request.account
    try:
        async with request.tx() as tx:
            await portraits.change(tx, account.id, account.kind, change_)
    except Refusal as refused:
        return await _editor(request, data, part=part, refused=refused)
    return pages.redirect(f"{PATH}#{part}" if part == "business" else PATH, flash=("good", say("Saved")))


async def _editor(
    request: Request, data: dict[str, str] | None = None, *, part: str = "", refused: Refusal | None = None
) -> Response[str]:
    account = request.account.id
    async with request.read() as tx:
        row = await tx.fetch_one(queries.MINE, account=account)
        choices = await actions.search(tx, account, None, CHOICES)
    public_profile = portraits.profile(request.services, row)
    typed = data or {}
    fields = _fields(row, public_profile)
    values = {name: (typed.get(name) or "") if name in typed else (value or "") for name, value in fields.items()}
    return pages.render(
        request,
        "media/portraits/edit.html",
        refusal=refused,
        nav="account",
        profile=public_profile,
        vendor=row.kind == "vendor",
        values=values,
        part=part,
        errors={_field(refused, part): refused.message} if refused else {},
        handle_may_change_at=row.handle_may_change_at,
        networks=[{"name": name, "title": title} for name, (title, _) in profiles.NETWORKS.items()],
        choices=[picker.to_card(request.services, item) for item in choices.items],
        accept=uploads.accepted(request.services.settings),
        faces=_faces(public_profile, vendor=row.kind == "vendor"),
    )


def _fields(row: ProfileRow, public_profile: portraits.Profile) -> dict[str, str | None]:
    """Return the stored value of every field of the editor."""
    facts: dict[str, Any] = row.business or {}
    stored = dict.fromkeys(("tagline", "location", "website", "email", "phone", "address", *profiles.NETWORKS))
    for item in ("profile_info", "contact_info", "social_links"):
        stored |= facts.get(item, {})
    business = {"business_name": facts.get("business_name"), "business_bio": facts.get("bio")}
    return {"handle": row.handle, "name": public_profile.name, "bio": public_profile.bio, **business, **stored}


def _faces(public_profile: portraits.Profile, *, vendor: bool) -> list[dict[str, Any]]:
    """Return the portraits that the account can set; a vendor has only a logo."""
    faces: list[tuple[Face, str, portraits.Portrait | None]] = []
    if not vendor:
        faces.append(("avatar", "Your picture", public_profile.avatar))
    if public_profile.business:
        faces.append(("logo", "Logo", public_profile.business.logo))
    return [{"name": name, "title": title, "picture": picture} for name, title, picture in faces]


def _field(refused: Refusal, part: str) -> str:
    """Return the form field that shows the error."""
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
    return {"href": address, "title": host, "verified": profiles.is_on_domain(address, row.verified_domains)}


def _networks(row: ProfileRow) -> list[dict[str, str]]:
    stored = (row.business or {}).get("social_links", {})
    return [{"href": stored[name], "title": title} for name, (title, _) in profiles.NETWORKS.items() if name in stored]


def _picture(request: Request, row: FileRow, by: str) -> dict[str, Any]:
    """Return a gallery card; a generated image links to its own page."""
    card = picker.to_card(request.services, row, size=links.THUMBNAIL)
    made_in = row.metadata.get("generation_id")
    whole = links.original_url(request.services, row.account_id, row.facts())
    page = request.services.modules.link("picture", account=row.account_id, id=made_in) if made_in else None
    # An image without a page of its own is reported here.
    report = None if page else f"/report/{row.account_id}/{row.id}"
    return {**card, "href": page or whole, "report_href": report, "title": None, "by": None, "alt": f"{card['alt']}, by {by}"}


def _uuid(text: object) -> UUID:
    file_id = read_id(text)
    if file_id is None:
        raise NotFound("Choose an image first.")
    return file_id


ROUTES: list[Any] = [profile, editor, save, save_business, remove_business, save_portrait]
