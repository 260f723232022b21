"""The studio's form: reading fields, uploads and errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from litestar.datastructures import FormMultiDict

from vetrina.clients.engines.base import Parameter, Style, Value
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import read_id
from vetrina.core.errors import Refusal
from vetrina.core.services import Services
from vetrina.core.web.request import Request
from vetrina.media.files import picker, quota
from vetrina.media.files import upload_form as uploads
from vetrina.media.processing.images import MAX_BYTES
from vetrina.studio.batches.actions import BatchRequest
from vetrina.studio.generations.actions import GenerationRequest
from vetrina.studio.model import BATCH_LIMIT, PROMPT_LIMIT, BatchKind, GenerationRow
from vetrina.studio.styles.catalogue import Catalogue
from vetrina.wallet.model import Balance
from vetrina.web.i18n import N_, say

ASSETS = {"token": N_("Tokens"), "conversion": N_("Conversions of your plan")}
MAKES = {
    "": N_("One picture"),
    "pictures": N_("One of each picture"),
    "styles": N_("One in each style"),
    "seeds": N_("Variations"),
}
"""What the form makes."""
ROLES: tuple[picker.Role, ...] = ("product", "model")


@dataclass
class GenerationForm:
    """The values of the form."""

    style: str
    prompt: str = ""
    seed: int | str = ""
    asset: str = ""
    """What pays; empty until chosen."""
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])
    product_files: list[UUID] = field(default_factory=list[UUID])
    model_files: list[UUID] = field(default_factory=list[UUID])
    make: str = ""
    """What a batch differs by ("pictures", "styles", "seeds"); "" for one picture."""
    styles: list[str] = field(default_factory=list[str])
    """The styles of a batch of styles; none for all that fit."""
    count: int = 4
    """The number of a batch's variations."""
    total: int | None = None
    """The price of the batch that was shown."""
    errors: dict[str, str] = field(default_factory=dict[str, str])


def first_style(services: Services, requested: str | None) -> str:
    """Return `requested` if the style exists, else a style that needs one image only."""
    styles = services.get(Catalogue).styles
    if requested in styles:
        return requested
    return next((name for name, style in styles.items() if not style.needs_product and not style.needs_model), next(iter(styles)))


def again(services: Services, row: GenerationRow) -> GenerationForm:
    """Return the form with the settings of an earlier generation."""
    return GenerationForm(
        style=first_style(services, row.style_name),
        prompt=row.prompt,
        seed=row.seed,
        asset=row.charge_asset,
        parameters=row.parameters,
        product_files=[item.id for item in row.in_role("product")],
        model_files=[item.id for item in row.in_role("model")],
    )


async def read(request: Request) -> GenerationForm:
    """Read the submitted form.

    Images uploaded with it are added to the library first, so that an invalid form does not lose them.
    """
    data = await uploads.form_of(request)
    services = request.services
    name = str(data.get("style", ""))
    chosen = GenerationForm(
        style=first_style(services, name),
        prompt=str(data.get("prompt", "")).replace("\r\n", "\n").strip(),
        seed=str(data.get("seed", "")).strip(),
        asset=str(data.get("asset", "token")),
        product_files=_ids(data, "product_files"),
        model_files=_ids(data, "model_files"),
        make=str(data.get("make", "")),
        styles=[str(value) for value in data.getall("styles", [])],
        total=_whole(data, "total"),
    )
    if chosen.make not in MAKES:
        chosen.make = ""
    count = _whole(data, "count")
    chosen.count = count if count is not None and 1 <= count <= BATCH_LIMIT else chosen.count
    style = services.get(Catalogue).styles.get(name)
    if style is None:
        chosen.errors["style"] = "Choose a style."
    else:
        chosen.parameters = _parameters(data, style, chosen.errors)
    if chosen.seed != "":
        try:
            chosen.seed = int(chosen.seed)
        except ValueError:
            chosen.errors["seed"] = "A seed is a whole number."
    if chosen.asset not in ASSETS:
        chosen.errors["asset"] = "Choose what to pay with."
    for role in ROLES:
        await _take_uploads(request, data, role, chosen)
    return chosen


def to_request(services: Services, chosen: GenerationForm) -> GenerationRequest:
    """Return the request that the form describes. Raises ValueError for a form with errors."""
    return GenerationRequest(
        style_name=chosen.style,
        prompt=chosen.prompt,
        product_files=chosen.product_files,
        model_files=chosen.model_files,
        parameters=chosen.parameters,
        seed=chosen.seed if isinstance(chosen.seed, int) else None,
        asset="conversion" if chosen.asset == "conversion" else "token",
    )


def to_batch(services: Services, chosen: GenerationForm) -> BatchRequest:
    """Return the batch that the form describes. Raises ValueError for a form that describes one picture."""
    wish = to_request(services, chosen)
    fields = {name: getattr(wish, name) for name in wish.__struct_fields__}
    return BatchRequest(kind=BatchKind(chosen.make), styles=chosen.styles, count=chosen.count, total=chosen.total, **fields)


def field_of(refused: Refusal, chosen: GenerationForm) -> str:
    """Return the form field that an error belongs to; "" for the form as a whole."""
    name = str(refused.details.get("field") or refused.field or "")
    if name.startswith("parameters."):
        return f"p.{chosen.style}.{name.removeprefix('parameters.')}"
    return name if name in {"style", "prompt", "seed", "asset", "product_files", "model_files"} else ""


def assets(balances: Sequence[Balance], first: str) -> list[dict[str, Any]]:
    """Return the assets that can pay: tokens always, conversions if there are any. `first` is the one that expires first."""
    have = {balance.asset: balance.balance for balance in balances}
    return [
        {"name": name, "title": say(title), "balance": have.get(name, 0), "first": name == first}
        for name, title in ASSETS.items()
        if name == "token" or have.get(name)
    ]


def covering_asset(chosen: GenerationForm, cost: int, balances: Sequence[Balance], first: str) -> str:
    """Return what pays: the chosen asset or the one that expires first, or the other where only that covers the price.

    `cost` is the style's, in tokens. So a purchase that was made for a draft pays for it.
    """
    have = {balance.asset: balance.balance for balance in balances}
    pictures = {"pictures": max(len(chosen.product_files), len(chosen.model_files)), "seeds": chosen.count}.get(chosen.make)
    count = pictures or len(chosen.styles) or 1
    preferred = chosen.asset if chosen.asset in ASSETS else first or "token"
    other = "conversion" if preferred == "token" else "token"
    covers = {name: have.get(name, 0) >= count * (1 if name == "conversion" else cost) for name in ASSETS}
    return other if covers[other] and not covers[preferred] else preferred


async def slots(request: Request, tx: Tx, chosen: GenerationForm) -> dict[str, Any]:
    """Return the image fields, filled from the library."""
    ids = {"product": chosen.product_files, "model": chosen.model_files}
    account = request.account.id
    filled = {f"{role}s": await picker.picker_context(request.services, tx, account, role, chosen=ids[role]) for role in ROLES}
    uploads_left = await quota.left(tx, account)
    return {
        **filled,
        "uploads_left": uploads_left,
        "prompt_limit": PROMPT_LIMIT,
        "accept": uploads.accepted(request.services.settings),
        "max_bytes": MAX_BYTES,
    }


def _whole(data: FormMultiDict, name: str) -> int | None:
    """Return the value of a field that is a whole number, else None."""
    text = str(data.get(name, ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _ids(data: FormMultiDict, name: str) -> list[UUID]:
    """Return the values of a field that are ids; other values are dropped."""
    return list(dict.fromkeys(file_id for value in data.getall(name, []) if (file_id := read_id(value))))


def _parameters(data: FormMultiDict, style: Style, errors: dict[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for parameter in style.parameters:
        name = f"p.{style.name}.{parameter.name}"
        if parameter.kind == "boolean":
            values[parameter.name] = name in data
        elif name in data:
            value = _value(parameter, str(data.get(name, "")))
            if value is None:
                errors[name] = say("{name} must be a number.", name=say(parameter.title))
            else:
                values[parameter.name] = value
    return values


def _value(parameter: Parameter, text: str) -> Value | None:
    if parameter.kind not in {"number", "integer"}:
        return text
    try:
        return int(text) if parameter.kind == "integer" else float(text)
    except ValueError:
        return None


async def _take_uploads(request: Request, data: FormMultiDict, role: str, chosen: GenerationForm) -> None:
    ids = chosen.product_files if role == "product" else chosen.model_files
    for upload in uploads.files_of(data, f"{role}_upload"):
        try:
            file = await uploads.take(request.services, request.account.id, upload, f"{role}_image")
            ids.append(file.id)
        except Refusal as refused:
            chosen.errors[f"{role}_files"] = f"{upload.filename}: {refused.message}"
