"""The studio's page: its form, and the start of what it describes."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import Parameter

from vetrina.accounts.profiles import actions as profiles
from vetrina.core.database.connection import Tx
from vetrina.core.errors import Invalid, Refusal
from vetrina.core.web import pages
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import limited
from vetrina.media.files import picker, samples
from vetrina.media.files import upload_form as uploads
from vetrina.studio.batches import actions as batches
from vetrina.studio.composer import draft_form, form
from vetrina.studio.drafts import actions as drafts
from vetrina.studio.generations import actions, presenters
from vetrina.studio.model import BATCH_LIMIT
from vetrina.studio.styles.catalogue import Catalogue
from vetrina.wallet import queries as wallet
from vetrina.wallet.plans import queries as plan_queries

ChosenFiles = Annotated[list[UUID] | None, Parameter(max_items=picker.MAX_CHOSEN)]


@get("/studio", guards=[signed_in], include_in_schema=False)
async def studio(
    request: Request,
    again: UUID | None = None,
    product: ChosenFiles = None,
    model: ChosenFiles = None,
    style: str | None = None,
    tour: Annotated[int, Parameter(ge=1, le=4)] = 1,
) -> Response[str]:
    """Render the studio's form; `tour` is the stop of the tour to show, if the account has not ended it."""
    arrival = draft_form.Arrival(again, product, model, style)
    async with request.read() as tx:
        opened = await draft_form.open_form(request.services, tx, request.account.id, arrival)
        return await _studio(request, tx, opened, tour=tour)


@post(
    "/studio",
    guards=[signed_in],
    include_in_schema=False,
    request_max_body_size=uploads.MANY_FILES,
    opt=limited("generations"),
)
async def start(request: Request) -> Response[Any]:
    """Start a generation, or render the form again with its errors."""
    chosen = await form.read(request)
    refusal: Refusal = Invalid()
    if not chosen.errors:
        try:
            if chosen.make:
                return await _start_batch(request, chosen)
            wish = form.to_request(request.services, chosen)
            started = await actions.start(request.services, request.account.id, request.account.session_id, wish)
            async with request.tx() as tx:
                await drafts.delete(tx, request.account.id)
            return pages.redirect(f"/studio/generations/{started.id}")
        except Refusal as refused:
            chosen.errors[form.field_of(refused, chosen)] = refused.message
            refusal = refused
    async with request.tx() as tx:
        await draft_form.save(request.services, tx, request.account.id, chosen)
    async with request.read() as tx:
        return await _studio(request, tx, draft_form.Opened(chosen), refusal)


async def _start_batch(request: Request, chosen: form.GenerationForm) -> Response[Any]:
    """Start a batch whose price was shown, else show its price. Raises what `batches.start` raises."""
    account, batch = request.account, form.to_batch(request.services, chosen)
    async with request.read() as tx:
        quote = await batches.quote(request.services, tx, account.id, batch)
    if quote.total != chosen.total and quote.balance_after is not None:
        chosen.total = quote.total
        async with request.tx() as tx:
            await draft_form.save(request.services, tx, account.id, chosen)
        async with request.read() as tx:
            return await _studio(request, tx, draft_form.Opened(chosen), quote=quote)
    started = await batches.start(
        request.services, account.id, account.session_id, msgspec.structs.replace(batch, total=quote.total)
    )
    async with request.tx() as tx:
        await drafts.delete(tx, account.id)
    return pages.redirect(f"/studio/batches/{started.id}")


async def _studio(
    request: Request,
    tx: Tx,
    opened: draft_form.Opened,
    refusal: Refusal | None = None,
    quote: batches.BatchQuote | None = None,
    tour: int = 1,
) -> Response[str]:
    chosen = opened.form
    balances = await tx.fetch_all(wallet.BALANCES, account=request.account.id)
    catalogue = request.services.get(Catalogue)
    style = catalogue.row(catalogue.styles[chosen.style])
    first = await tx.fetch_one(wallet.FIRST_TO_EXPIRE, account=request.account.id, tokens=style.cost)
    own_tokens = await tx.fetch_one(plan_queries.HAS_MORE_THAN_WELCOME_TOKENS, account=request.account.id)
    assets = form.assets(balances, first)
    pay_choice = (
        own_tokens or chosen.asset not in {"", first} or all(style.cost > item["balance"] for item in assets if item["first"])
    )
    chosen.asset = form.covering_asset(chosen, style.cost, balances, first)
    slots: dict[str, Any] = await form.slots(request, tx, chosen)
    return pages.render(
        request,
        "studio/composer/studio.html",
        refusal=refusal,
        nav="studio",
        groups=presenters.style_groups(request.services),
        engines=presenters.engine_titles(request.services),
        style=style,
        chosen=chosen,
        assets=assets,
        pay_choice=pay_choice,
        tour=tour if await profiles.is_tour_due(tx, request.account.id) else 0,
        samples=await samples.offered(tx, request.account.id),
        errors=chosen.errors,
        draft=opened.draft,
        makes=form.MAKES,
        quote=quote,
        batch_limit=BATCH_LIMIT,
        deleted_files=opened.deleted_files,
        **slots,
    )


ROUTES: list[Any] = [studio, start]
