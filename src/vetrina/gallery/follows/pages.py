"""Pages and forms of follows, blocks and mutes."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from litestar import Response, get, post
from litestar.response import Redirect

from vetrina.core.database import paging
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.paging import Cursor
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import limited
from vetrina.gallery.follows import actions, queries
from vetrina.web.i18n import say

PAGE = 50
SETTINGS = "/settings/followers"


@get(SETTINGS, guards=[signed_in], include_in_schema=False)
async def settings(request: Request, cursor: Cursor = None) -> Response[str]:
    """Show who follows and who asks to, whom the account blocks, and whether it is private."""
    account = request.account.id
    async with request.read() as tx:
        is_private = await tx.fetch_one(queries.IS_PRIVATE, account=account)
        requests = await paging.fetch(tx, queries.REQUESTS, None, PAGE, account=account)
        followers = await paging.fetch(tx, queries.FOLLOWERS, cursor, PAGE, account=account, viewer=account)
        blocked = await paging.fetch(tx, queries.BLOCKED, None, PAGE, account=account)
    return pages.render(
        request,
        "gallery/follows/settings.html",
        nav="account",
        is_private=is_private,
        requests=requests.items,
        followers=followers.items,
        older=followers.older(SETTINGS),
        blocked=blocked.items,
    )


@post(SETTINGS, guards=[signed_in], include_in_schema=False)
async def save(request: Request, data: Form) -> Redirect:
    """Set whether the account is private."""
    async with request.tx() as tx:
        await actions.set_private(tx, request.account.id, is_private=bool(data.get("is_private")))
    return pages.redirect(SETTINGS, flash=("good", say("Saved")))


@post("/accounts/{account_id:uuid}/{act:str}", guards=[signed_in], include_in_schema=False, opt=limited("reactions"))
async def act_on(
    request: Request,
    account_id: UUID,
    act: Literal["follow", "unfollow", "approve", "remove", "block", "unblock", "mute", "unmute"],
    data: Form,
) -> Redirect:
    """Follow, approve, block or mute an account, or undo it; return to the page `next`."""
    account = request.account.id
    if act == "follow":
        approved = await actions.follow(request.services, account, account_id)
        message = say("You follow this account.") if approved else say("Asked. The account approves its followers.")
    else:
        run = {
            "unfollow": actions.unfollow,
            "approve": actions.approve,
            "remove": actions.remove_follower,
            "block": actions.block,
            "unblock": actions.unblock,
            "mute": actions.mute,
            "unmute": actions.unmute,
        }[act]
        async with request.tx() as tx:
            await run(tx, account, account_id)
        message = say("Saved")
    return pages.redirect(pages.safe_local_path(data.get("next"), SETTINGS), flash=("good", message))


ROUTES: list[Any] = [settings, save, act_on]
