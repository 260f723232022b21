"""Plans as operators edit them: rows, requests and refusals."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from vetrina.accounts.model import Kind
from vetrina.core.errors import Refusal

DEFAULT_PLANS = frozenset({"free", "vendor_free"})
"""The plans of accounts that pay for none: always open, always without a price."""

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_]{2,40}$")]
Title = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
Description = Annotated[str, msgspec.Meta(max_length=400)]
Limit = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
StorageMegabytes = Annotated[int, msgspec.Meta(ge=0, le=100_000_000)]
Feature = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
Features = Annotated[list[Feature], msgspec.Meta(max_length=20)]
Prices = Annotated[dict[str, Annotated[int, msgspec.Meta(ge=1, le=10**12)]], msgspec.Meta(max_length=20)]


class EditedPlan(msgspec.Struct, frozen=True):
    """A plan with its state: `prices` in minor units by currency, `members` the accounts that are on it now.

    `storage_mb` is null for the site's default. A plan that is not active takes no new members; those it has keep it, and
    renew it.
    """

    id: UUID
    name: str
    kind: str
    display_name: str
    description: str | None
    prices: dict[str, int]
    monthly_tokens: int
    monthly_conversions_limit: int
    monthly_images_limit: int
    storage_mb: int | None
    features: list[str]
    is_active: bool
    members: int

    @property
    def is_default(self) -> bool:
        """Whether accounts without a paid plan are on it."""
        return self.name in DEFAULT_PLANS


class NewPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new plan; `prices` in minor units by currency, at least one. `storage_mb` 0 is the site's default."""

    name: Name
    kind: Kind
    display_name: Title
    prices: Prices
    description: Description = ""
    monthly_tokens: Limit = 0
    monthly_conversions_limit: Limit = 0
    monthly_images_limit: Limit = 0
    storage_mb: StorageMegabytes = 0
    features: Features = []


class PlanChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Changes to a plan; omitted fields stay. `prices` replaces all of them; `storage_mb` 0 is the site's default."""

    display_name: Title | None = None
    prices: Prices | None = None
    description: Description | None = None
    monthly_tokens: Limit | None = None
    monthly_conversions_limit: Limit | None = None
    monthly_images_limit: Limit | None = None
    storage_mb: StorageMegabytes | None = None
    features: Features | None = None
    is_active: bool | None = None


class PlanMember(msgspec.Struct, frozen=True):
    """An account on a plan: when its period ends, the plan that follows, and the gateway that renews it."""

    id: UUID
    name: str | None
    email: str | None
    phone: str | None
    period_end: datetime
    cancel_at_period_end: bool
    next_plan: str | None
    renewed_by: str | None


class InvalidPlan(Refusal):
    """The plan is not valid."""

    status = 422


class InvalidPlanPrice(Refusal):
    """A price is above zero, in a currency of ISO 4217. Rials are IRR; toman (IRT) are refused."""

    status = 422
    field = "prices"


class PlanNameTaken(Refusal):
    """A plan with this name already exists."""

    status = 409
    constraint = "plan_name_taken"
    field = "name"


class PlanInUse(Refusal):
    """Accounts are on this plan, or were. Close it to new members instead: those on it keep it."""

    status = 409


class DefaultPlan(Refusal):
    """Accounts that pay for no plan are on this one: it stays open and free of charge."""

    status = 409
