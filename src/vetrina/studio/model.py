"""Studio: rows, states, refusals."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from vetrina.core.errors import Refusal
from vetrina.media.links import FileFacts, FileRef

PROMPT_LIMIT = 1000
"""Characters of a prompt."""
PICTURES_LIMIT = 4
"""Products, and models, of one generation."""


class Status(StrEnum):
    """The states of a generation; the last three are ends."""

    PENDING = "pending"
    UPLOADING = "uploading"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})


class Picture(msgspec.Struct, frozen=True):
    """A file in its role; `file` is None when its owner has deleted it."""

    role: str
    file: FileFacts | None = None


class GenerationRow(msgspec.Struct, frozen=True, kw_only=True):
    """A generation as it is kept, with its files' facts."""

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
    queue_place: int | None
    pictures: list[dict[str, Any]]

    def in_role(self, role: str) -> list[FileFacts]:
        """The files in this role that are still there."""
        found = msgspec.convert(self.pictures, list[Picture])
        return [each.file for each in found if each.role == role and each.file is not None]


class Generation(msgspec.Struct, kw_only=True):
    """A generation as programs see it. `cost` in credits of `asset`; `progress` in percent;
    `queue_place` is 1 for the next one and null when it does not wait."""

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
    queue_place: int | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None


class State(msgspec.Struct, frozen=True):
    """What changes while a generation is under way."""

    id: UUID
    status: str
    progress: int
    step: str | None
    error_message: str | None
    queue_place: int | None = None


class Taken(msgspec.Struct, frozen=True):
    """A generation that a worker has taken up."""

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


class Hung(msgspec.Struct, frozen=True):
    """A public result on the wall."""

    account_id: UUID
    generation_id: UUID
    style_name: str
    maker: str | None
    file: dict[str, Any]


class Count(msgspec.Struct, frozen=True):
    """How many generations of an account are in a state; 1000 for as many or more."""

    status: str
    count: int


class UnknownStyle(Refusal):
    """There is no such style, or its engine is not set up here."""

    status = 422
    field = "style"


class FileNotFound(Refusal):
    """One of the pictures is not in your library."""

    status = 422
    field = "product_files"


class WrongCategory(Refusal):
    """One of the pictures is of another category than its place asks for."""

    status = 422
    field = "product_files"


class PictureMissing(Refusal):
    """This style needs a picture to work from."""

    status = 422
    field = "product_files"


class TooManyPictures(Refusal):
    """At most four products and four models go into one picture."""

    status = 422
    field = "product_files"


class BadParameters(Refusal):
    """This setting does not fit the style."""

    status = 422


class PromptTooLong(Refusal):
    """The words are too long: 1000 characters at most."""

    status = 422
    constraint = "generation_prompt_length"
    field = "prompt"


class GenerationEnded(Refusal):
    """This generation has ended."""

    status = 409
    constraint = "generation_moves_legally"


class GenerationRunning(Refusal):
    """This generation is still under way."""

    status = 409
