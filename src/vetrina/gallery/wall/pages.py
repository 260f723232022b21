"""Pages with lists of posts: explore, the feed, the tabs of a profile."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, get
from litestar.params import Parameter

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import read_id
from vetrina.core.module import Place
from vetrina.core.services import Services
from vetrina.core.web import pages
from vetrina.core.web.paging import Cursor
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import QUIET
from vetrina.gallery import presenters
from vetrina.gallery.follows import queries as follows
from vetrina.gallery.wall import actions, queries
from vetrina.gallery.wall.actions import Order
from vetrina.gallery.wall.api import Words, viewer_of
from vetrina.media.portraits.pages import header
from vetrina.web.i18n import N_, count

WALL, FEED, PEOPLE = 24, 12, 50
"""Posts, posts with all pictures, and accounts of one page."""


@get("/explore", include_in_schema=False)
async def explore(
    request: Request, cursor: Cursor = None, order: Order = "new", tag: Words = None, q: Words = None
) -> Response[str]:
    """Show the wall of public posts."""
    async with request.read() as tx:
        page = await actions.wall(tx, viewer_of(request), cursor, WALL, order=order, tag=tag, q=q)
        tags = await tx.fetch_all(queries.TAGS)
    filters = {"tag": tag, "q": q, "order": order if order != "new" else None}
    return pages.render(
        request,
        "gallery/wall/explore.html",
        nav="explore",
        posts=presenters.cards(request.services, page.items),
        older=page.older("/explore", filters),
        order=order,
        tag=tag,
        q=q or "",
        tags=tags,
    )


@get("/feed", guards=[signed_in], include_in_schema=False)
async def feed(request: Request, cursor: Cursor = None) -> Response[str]:
    """Show the posts of followed accounts."""
    services = request.services
    async with request.read() as tx:
        page = await actions.feed(tx, request.account.id, cursor, FEED)
    posts = [
        {**card, "row": row, "images": presenters.images(services, row)}
        for row in page.items
        if (card := presenters.card(services, row)) is not None
    ]
    return pages.render(
        request,
        "gallery/wall/feed.html",
        nav="feed",
        posts=posts,
        newest=page.items[0].wall_id if page.items and not cursor else None,
        older=page.older("/feed"),
    )


@get("/feed/new", guards=[signed_in], include_in_schema=False, opt=QUIET)
async def new_in_feed(request: Request, after: Annotated[str, Parameter(max_length=64)]) -> Response[str]:
    """Return the line that says how many posts are newer than the place `after` on the wall."""
    place = read_id(after)
    number = 0
    if place is not None:
        async with request.read() as tx:
            number = await tx.fetch_one(queries.NEW_IN_FEED, viewer=request.account.id, after=place)
    text = count("{n} new post", "{n} new posts", number) if number else ""
    return pages.render(request, "gallery/wall/new_posts.html", text=text, newest=place)


@get("/@/{handle:str}/posts", include_in_schema=False)
async def profile_posts(request: Request, handle: str, cursor: Cursor = None) -> Response[Any]:
    """Show the posts of a profile."""
    viewer = viewer_of(request)
    async with request.read() as tx:
        context = await _profile(request, tx, handle, "posts")
        if isinstance(context, str):
            return pages.redirect(context)
        page = await actions.of_account(tx, viewer, context["profile_id"], cursor, WALL)
    return pages.render(
        request,
        "gallery/wall/profile_posts.html",
        **context,
        posts=presenters.cards(request.services, page.items),
        older=page.older(f"{context['href']}/posts"),
    )


@get("/@/{handle:str}/followers", include_in_schema=False)
async def profile_followers(request: Request, handle: str, cursor: Cursor = None) -> Response[Any]:
    """Show the followers of a profile; a private account's only to itself and its followers."""
    viewer = viewer_of(request)
    async with request.read() as tx:
        context = await _profile(request, tx, handle, "followers")
        if isinstance(context, str):
            return pages.redirect(context)
        relation = context["relation"]
        is_open = context["mine"] or not relation.is_private or relation.follows
        account = context["profile_id"]
        rows = await actions.people(tx, follows.FOLLOWERS, cursor, PEOPLE, account=account, viewer=viewer) if is_open else None
    return pages.render(
        request,
        "gallery/wall/profile_followers.html",
        **context,
        people=rows.items if rows else [],
        is_open=is_open,
        older=rows.older(f"{context['href']}/followers") if rows else None,
    )


async def _profile(request: Request, tx: Tx, handle: str, tab: str) -> dict[str, Any] | str:
    """Return the context of a profile's tab, or a path to redirect to. Raises NotFound (404), also where one blocks the other."""
    context = await header(request, tx, handle)
    if isinstance(context, str):
        return f"{context}/{tab}"
    relation = await actions.relation(tx, viewer_of(request), context["profile_id"])
    return {**context, "relation": relation, "tab": tab}


async def newest(services: Services, tx: Tx, viewer: Any) -> list[dict[str, Any]]:
    """Return the cards of the newest public posts, for the start page."""
    page = await actions.wall(tx, viewer, None, WALL)
    return presenters.cards(services, page.items)


def footer(services: Services) -> list[Place]:
    """Return the link to the wall at the foot of every page; the sitemap lists it too."""
    return [Place("explore", "/explore", N_("Explore"))]


ROUTES: list[Any] = [explore, feed, new_in_feed, profile_posts, profile_followers]
