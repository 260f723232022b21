"""The studio's form and the account's draft: what a visit starts with, and what is saved of a form."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from vetrina.clients.engines.base import BadParameter, Style, validate
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.services import Services
from vetrina.studio import queries
from vetrina.studio.composer import form
from vetrina.studio.composer.form import ASSETS, GenerationForm
from vetrina.studio.drafts import actions as drafts
from vetrina.studio.drafts.actions import BATCH_KINDS, DraftBatch, DraftRequest
from vetrina.studio.model import BATCH_LIMIT, PROMPT_LIMIT, SEED_LIMIT, DraftRow
from vetrina.studio.styles.catalogue import Catalogue


@dataclass
class Opened:
    """The form that a visit starts with, and what the page says about the draft.

    `draft` is "restored" (the form is the draft), "waiting" (there is one, which the form is not), "discarded" (there was one
    that can be restored) or "".
    """

    form: GenerationForm
    draft: str = ""
    deleted_files: int = 0


@dataclass(frozen=True)
class Arrival:
    """What the address of the studio asks for: the settings of a generation, images, a style."""

    again: UUID | None = None
    product: list[UUID] | None = None
    model: list[UUID] | None = None
    style: str | None = None


async def open_form(services: Services, tx: Tx, account: AccountId, arrival: Arrival) -> Opened:
    """Return the form for a visit: the draft with what the address asks for in it, or the settings of a generation."""
    row = await drafts.load(tx, account)
    draft = row if row is not None and not row.is_discarded else None
    opened = Opened(GenerationForm(style=form.first_style(services, arrival.style)))
    if row is not None and row.is_discarded and arrival == Arrival():
        opened.draft = "discarded"
    generation = await tx.fetch_optional(queries.ONE, account=account, id=arrival.again) if arrival.again is not None else None
    if generation is not None:
        opened.form = form.again(services, generation)
        opened.draft = "waiting" if draft else ""
    elif draft is not None:
        opened = Opened(_from_draft(services, draft), "restored", draft.deleted_files)
        if arrival.style in services.get(Catalogue).styles and arrival.style != draft.style_name:
            opened.form.style, opened.form.parameters = str(arrival.style), {}
    if arrival.product:
        opened.form.product_files = arrival.product
    if arrival.model:
        opened.form.model_files = arrival.model
    return opened


async def save(services: Services, tx: Tx, account: AccountId, chosen: GenerationForm) -> None:
    """Save what of a form is valid as the account's draft; the rest of it is left out."""
    styles = services.get(Catalogue).styles
    style = styles[chosen.style]
    draft = DraftRequest(
        style_name=chosen.style,
        prompt=chosen.prompt.replace("\0", "")[:PROMPT_LIMIT],
        product_files=(await drafts.own_files(tx, account, "product", chosen.product_files))[:BATCH_LIMIT],
        model_files=(await drafts.own_files(tx, account, "model", chosen.model_files))[:BATCH_LIMIT],
        parameters={name: value for name, value in chosen.parameters.items() if _is_valid(style, name, value)},
        seed=chosen.seed if isinstance(chosen.seed, int) and 0 <= chosen.seed < SEED_LIMIT else None,
        asset="conversion" if chosen.asset == "conversion" else "token",
        batch=DraftBatch(
            BATCH_KINDS.get(chosen.make, ""), [name for name in chosen.styles if name in styles][:BATCH_LIMIT], chosen.count
        ),
    )
    await drafts.save(services, tx, account, draft)


def _from_draft(services: Services, row: DraftRow) -> GenerationForm:
    style = form.first_style(services, row.style_name)
    batch = drafts.batch_of(row)
    return GenerationForm(
        style=style,
        prompt=row.prompt,
        seed="" if row.seed is None else row.seed,
        asset=row.asset if row.asset in ASSETS else "",
        parameters=row.parameters if style == row.style_name else {},
        product_files=row.product_files,
        model_files=row.model_files,
        make=batch.kind,
        styles=[name for name in batch.styles if name in services.get(Catalogue).styles],
        count=batch.count,
    )


def _is_valid(style: Style, name: str, value: object) -> bool:
    try:
        validate(style, {name: value})
    except BadParameter:
        return False
    return True
