"""Studio: rows, states and errors."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

import msgspec

from vetrina.clients.engines.cutting.catalogue import REMOVE_BACKGROUND
from vetrina.core.errors import Refusal
from vetrina.media.links import FileFacts, FileRef

PROMPT_LIMIT = 1000
"""Maximum length of a prompt, in characters."""
SEED_LIMIT = 2**53
"""Seeds are below this, so that every JSON reader keeps them exactly."""
BATCH_LIMIT = 64
"""Maximum number of generations of one batch."""
PICTURES_LIMIT = 4
"""Maximum number of product images, and of model images, of one generation."""


class Status(StrEnum):
    """The states of a generation; the last three are final."""

    PENDING = "pending"
    UPLOADING = "uploading"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})


class Picture(msgspec.Struct, frozen=True):
    """A file in its role; `file` is None if its owner has deleted it."""

    role: str
    file: FileFacts | None = None


class GenerationRow(msgspec.Struct, frozen=True, kw_only=True):
    """A generation's row with its files' facts."""

    account_id: UUID
    id: UUID
    status: str
    style_name: str
    engine: str
    prompt: str
    parameters: dict[str, Any]
    seed: int
    charge_asset: str
    cost: int
    progress: int
    step: str | None
    attempt: int
    retry_of: UUID | None
    error_code: str | None
    error_message: str | None
    processing_time_ms: int | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    batch_id: UUID | None
    is_favourite: bool
    queue_position: int | None
    pictures: list[dict[str, Any]]

    @property
    def returnable(self) -> bool:
        """Return whether its tokens can be given back: a finished cut-out, paid by tokens, its result not deleted."""
        cut_out = self.style_name == REMOVE_BACKGROUND and self.status == Status.COMPLETED
        return cut_out and self.charge_asset == "token" and bool(self.in_role("result"))

    def in_role(self, role: str) -> list[FileFacts]:
        """Return the remaining files in a role."""
        pictures = msgspec.convert(self.pictures, list[Picture])
        return [item.file for item in pictures if item.role == role and item.file is not None]


class Generation(msgspec.Struct, kw_only=True):
    """A generation in the API.

    `cost` in credits of `asset`; `progress` in percent; `queue_position` is 1 for the next one and null if it does not
    wait.
    """

    id: UUID
    status: str
    progress: int
    step: str | None
    style_name: str
    engine: str
    prompt: str
    parameters: dict[str, Any]
    seed: int
    asset: str
    cost: int
    attempt: int
    retry_of: UUID | None
    product_files: list[FileRef]
    model_files: list[FileRef]
    result_files: list[FileRef]
    error_code: str | None
    error_message: str | None
    processing_time_ms: int | None
    queue_position: int | None
    batch_id: UUID | None
    is_favourite: bool
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None


class BatchKind(StrEnum):
    """What differs between the generations of a batch: the picture, the style, or the seed."""

    PICTURES = "pictures"
    STYLES = "styles"
    SEEDS = "seeds"


class BatchRow(msgspec.Struct, frozen=True):
    """A batch's row."""

    id: UUID
    kind: str
    created_at: datetime


class State(msgspec.Struct, frozen=True):
    """The changing part of a running generation."""

    id: UUID
    status: str
    progress: int
    step: str | None
    error_message: str | None
    queue_position: int | None = None


class ClaimedGeneration(msgspec.Struct, frozen=True):
    """A generation claimed by a worker."""

    id: UUID
    status: str
    style_name: str
    engine: str
    prompt: str
    parameters: dict[str, Any]
    seed: int
    attempt: int
    wanted: int
    inputs: list[dict[str, Any]]


class PublicResult(msgspec.Struct, frozen=True):
    """A public result."""

    account_id: UUID
    generation_id: UUID
    style_name: str
    maker: str | None
    file: dict[str, Any]


class PublicPicture(PublicResult, frozen=True):
    """A public result on its own page: its maker's handle, when it was finished, and the public photographs it was made from."""

    handle: str | None
    completed_at: datetime
    sources: list[dict[str, Any]]


class DraftRow(msgspec.Struct, frozen=True):
    """A draft's row with the files that remain of `file_count`; `asset` is empty if none was chosen."""

    style_name: str
    prompt: str
    parameters: dict[str, Any]
    seed: int | None
    asset: str
    batch: dict[str, Any]
    product_files: list[UUID]
    model_files: list[UUID]
    file_count: int
    is_discarded: bool
    updated_at: datetime

    @property
    def deleted_files(self) -> int:
        """The number of its files that have been deleted since it was saved."""
        return self.file_count - len(self.product_files) - len(self.model_files)


class Count(msgspec.Struct, frozen=True):
    """The number of an account's generations in a state; 1000 for as many or more."""

    status: str
    count: int


class Waiting(msgspec.Struct, frozen=True):
    """The number of an account's generations that wait in the queue, and how many may."""

    count: int
    limit: int


class TooManyWaiting(Refusal):
    """Too many of your pictures wait in the queue. Start this one when some of them are done."""

    status = 429
    headers = MappingProxyType({"Retry-After": "30"})


class UnknownStyle(Refusal):
    """There is no such style, or its engine is not set up."""

    status = 422
    field = "style"


class FileNotFound(Refusal):
    """One of the images is not in your library."""

    status = 422
    field = "product_files"


class WrongCategory(Refusal):
    """One of the images has another category than its field asks for."""

    status = 422
    field = "product_files"


class ImageRequired(Refusal):
    """This style needs an image to work from."""

    status = 422
    field = "product_files"


class TooManyImages(Refusal):
    """A generation takes at most four products and four models."""

    status = 422
    field = "product_files"


class InvalidParameters(Refusal):
    """A parameter does not fit the style."""

    status = 422


class PromptTooLong(Refusal):
    """The prompt is too long: at most 1000 characters."""

    status = 422
    constraint = "generation_prompt_length"
    field = "prompt"


class InvalidBatch(Refusal):
    """A batch has 1 to 64 pictures."""

    status = 422
    field = "count"


class PriceChanged(Refusal):
    """The batch has another price now."""

    status = 409


class GenerationEnded(Refusal):
    """This generation has ended."""

    status = 409
    constraint = "generation_moves_legally"


class GenerationRunning(Refusal):
    """This generation is still running."""

    status = 409
