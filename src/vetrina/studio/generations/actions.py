"""Generation actions: start, cancel, retry, mark."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

import msgspec

from vetrina.accounts.storage import actions as storage
from vetrina.core.database.batching import Coalescer
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.database.records import to_record
from vetrina.core.errors import Refusal, for_code
from vetrina.core.services import Services
from vetrina.media.links import ref
from vetrina.studio import queries
from vetrina.studio.model import (
    PICTURES_LIMIT,
    Generation,
    GenerationEnded,
    GenerationRow,
    GenerationRunning,
    ImageRequired,
    Picture,
    TooManyImages,
    TooManyWaiting,
    UnknownStyle,
)
from vetrina.studio.styles.catalogue import Catalogue
from vetrina.studio.styles.settings import check_settings
from vetrina.wallet.model import Asset, InsufficientCredits
from vetrina.wallet.plans import actions as plans


class GenerationRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request for a generation.

    `seed` is chosen at random if omitted; `asset` pays: tokens, or one conversion of the plan's allowance.
    """

    style_name: str
    prompt: str = ""
    product_files: list[UUID] = []
    model_files: list[UUID] = []
    parameters: dict[str, Any] = {}
    seed: int | None = None
    asset: Literal["token", "conversion"] = "token"


class StartItem(msgspec.Struct, omit_defaults=True):
    """One item of `studio.start_all`."""

    account_id: UUID
    id: UUID
    session_id: UUID
    style_name: str
    prompt: str
    parameters: dict[str, Any]
    seed: int
    charge: str
    product_files: list[UUID] = msgspec.field(default_factory=list[UUID])
    model_files: list[UUID] = msgspec.field(default_factory=list[UUID])
    key: str | None = None
    request_hash: str | None = None
    retry_of: UUID | None = None


class StartResult(msgspec.Struct):
    """The outcome of one item of `studio.start_all`."""

    refused: str | None = None
    asset: str | None = None
    balance: int | None = None
    cost: int = 0
    id: UUID | None = None
    engine: str = ""
    seed: int = 0
    files: list[Picture] = []
    created_at: datetime | None = None
    outcome: str = ""


async def start(
    services: Services,
    account: AccountId,
    session: UUID,
    wish: GenerationRequest,
    *,
    key: str | None = None,
    retry_of: UUID | None = None,
) -> Generation:
    """Start a generation: hold its charge and write row, usage record and job with it.

    A replay with the same `key` and request returns the first answer. Raises UnknownStyle, InvalidParameters,
    ImageRequired, TooManyImages, FileNotFound, WrongCategory, PromptTooLong (422), InsufficientCredits (402; QuotaUsedUp
    for a conversion), StorageFull, KeyInUse (409), KeyReused (422), TooManyWaiting (429), Unauthenticated (401).
    """
    item = to_item(services, account, session, wish, key=key, retry_of=retry_of)
    answer = await services.get(StartBatcher)(item)
    if answer.refused:
        raise await _refusal(services, account, answer)
    return started_response(services, account, item, answer)


def to_item(
    services: Services,
    account: AccountId,
    session: UUID,
    wish: GenerationRequest,
    *,
    key: str | None = None,
    retry_of: UUID | None = None,
) -> StartItem:
    """Return what the database needs to start the generation. Raises what `start` raises for an invalid request."""
    parameters = check(services, wish)
    return StartItem(
        account_id=account,
        id=new_id(),
        session_id=session,
        style_name=wish.style_name,
        prompt=wish.prompt,
        parameters=parameters,
        seed=wish.seed if wish.seed is not None else secrets.randbelow(2**31),
        charge=wish.asset,
        product_files=wish.product_files,
        model_files=wish.model_files,
        key=key,
        request_hash=_hash(wish, retry_of) if key else None,
        retry_of=retry_of,
    )


def check(services: Services, wish: GenerationRequest) -> dict[str, Any]:
    """Return the request's parameters with their defaults. Raises what `start` raises for an invalid request."""
    catalogue = services.get(Catalogue)
    style = catalogue.styles.get(wish.style_name)
    if style is None:
        raise UnknownStyle
    if max(len(wish.product_files), len(wish.model_files)) > PICTURES_LIMIT:
        raise TooManyImages
    if style.needs_product and not wish.product_files:
        raise ImageRequired("{style} needs a product picture.", values={"style": style.title})
    if style.needs_model and not wish.model_files:
        raise ImageRequired("{style} needs a picture of a model or a scene.", values={"style": style.title}, field="model_files")
    if style.needs_picture and not wish.product_files and not wish.model_files:
        raise ImageRequired
    return check_settings(style, prompt=wish.prompt, seed=wish.seed, parameters=wish.parameters)


async def cancel(tx: Tx, account: AccountId, generation: UUID) -> GenerationRow:
    """Cancel a generation and return its credits. Raises NotFound, GenerationEnded (409)."""
    ended = await tx.fetch_one(
        queries.FINISH, account=account, id=generation, attempt=None, status="cancelled", code=None, message=None
    )
    row = await tx.fetch_one(queries.ONE, account=account, id=generation)
    if not ended:
        raise GenerationEnded(f"This generation is already {row.status}.")
    return row


async def retry(services: Services, account: AccountId, session: UUID, generation: UUID, *, key: str | None = None) -> Generation:
    """Start a failed or cancelled generation again, as a new one at today's price.

    Raises NotFound, GenerationRunning (409), GenerationEnded (409) for a completed one, and what `start` raises.
    """
    async with services.db.read() as tx:
        row = await tx.fetch_one(queries.ONE, account=account, id=generation)
    if row.status == "completed":
        raise GenerationEnded("This generation was completed; start another with its settings instead.")
    if row.status not in {"failed", "cancelled"}:
        raise GenerationRunning
    wish = GenerationRequest(
        style_name=row.style_name,
        prompt=row.prompt,
        product_files=[item.id for item in row.in_role("product")],
        model_files=[item.id for item in row.in_role("model")],
        parameters=row.parameters,
        seed=row.seed,
        asset="conversion" if row.charge_asset == "conversion" else "token",
    )
    return await start(services, account, session, wish, key=key, retry_of=generation)


async def set_favourite(tx: Tx, account: AccountId, generation: UUID, *, is_favourite: bool) -> GenerationRow:
    """Mark a generation as a favourite, or unmark it. Raises NotFound."""
    if is_favourite:
        await tx.execute(queries.ADD_FAVOURITE, account=account, id=generation)
    else:
        await tx.execute(queries.REMOVE_FAVOURITE, account=account, id=generation)
    return await tx.fetch_one(queries.ONE, account=account, id=generation)


def to_response(services: Services, row: GenerationRow) -> Generation:
    """Return the API's representation of a row, with the addresses of its files."""
    roles = ("product", "model", "result")
    files = {f"{role}_files": [ref(services, row.account_id, facts) for facts in row.in_role(role)] for role in roles}
    return to_record(Generation, row, asset=row.charge_asset, **files)


class StartBatcher(Coalescer[StartItem, StartResult]):
    """Starts generations that are requested together in one statement."""

    @classmethod
    def provide(cls, services: Services) -> Self:
        """Return the batcher."""

        async def run(items: list[StartItem]) -> list[StartResult]:
            async with services.db.read() as tx:
                rows = await tx.fetch_all(queries.START, items=msgspec.json.encode(items).decode())
            return [msgspec.json.decode(row, type=StartResult) for row in rows]

        return cls(run, order=lambda item: (item.account_id.bytes, item.key or ""))


async def _refusal(services: Services, account: AccountId, answer: StartResult) -> Refusal:
    if answer.refused == "insufficient-credits" and answer.asset == Asset.CONVERSION:
        async with services.db.read() as tx:
            return await plans.denial(tx, account, Asset.CONVERSION, answer.cost)
    if answer.refused == "storage-full":
        async with services.db.read() as tx:
            return storage.refusal(await storage.use(tx, account), 1)
    if answer.refused == "too-many-waiting":
        async with services.db.read() as tx:
            line = await tx.fetch_one(queries.WAITING, account=account)
        return TooManyWaiting(
            f"{line.count} of your pictures wait in the queue, and at most {line.limit} may. Start this one when some are done.",
            waiting=line.count,
            limit=line.limit,
        )
    if answer.refused == "insufficient-credits":
        return InsufficientCredits(
            f"This costs {answer.cost} tokens, and you have {answer.balance}.",
            asset=answer.asset,
            cost=answer.cost,
            balance=answer.balance,
        )
    return for_code(answer.refused or "")


def started_response(
    services: Services, account: AccountId, item: StartItem, answer: StartResult, batch_id: UUID | None = None
) -> Generation:
    """Return the API's representation of a generation that was just started."""
    by_role = {
        role: [ref(services, account, file.file) for file in answer.files if file.role == role and file.file]
        for role in ("product", "model")
    }
    assert answer.id is not None and answer.created_at is not None
    return Generation(
        id=answer.id,
        status="pending",
        progress=0,
        step=None,
        style_name=item.style_name,
        engine=answer.engine,
        prompt=item.prompt,
        parameters=item.parameters,
        seed=answer.seed,
        asset=item.charge,
        cost=answer.cost,
        attempt=0,
        retry_of=item.retry_of,
        product_files=by_role["product"],
        model_files=by_role["model"],
        result_files=[],
        error_code=None,
        error_message=None,
        processing_time_ms=None,
        queue_position=None,
        batch_id=batch_id,
        is_favourite=False,
        created_at=answer.created_at,
        started_at=None,
        completed_at=None,
    )


def _hash(wish: GenerationRequest, retry_of: UUID | None) -> str:
    return hashlib.sha256(msgspec.json.encode((wish, retry_of), order="deterministic")).hexdigest()
