"""Query parameters of a paged route: `?limit=&cursor=` in, `{"items": [...], "next_cursor": ...}` out."""

from __future__ import annotations

from typing import Annotated

from litestar.params import Parameter

Limit = Annotated[int, Parameter(ge=1, le=100, description="How many items at most.")]
Cursor = Annotated[str | None, Parameter(max_length=64, description="next_cursor of the page before.")]
