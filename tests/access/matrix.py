"""How a row of the access matrix is written, and the scene that its calls are made in.

Every operation of the API has one row, in the file of its module here. Most are one line:

    ROWS = {
        "GET /api/v1/things": own(),
        "GET /api/v1/things/{thing_id}": owned(of=thing),
        "POST /api/v1/things": own(201, body={"name": "x"}),
        "GET /api/v1/catalogue": public(),
        "POST /api/v1/operator/things/{thing_id}/review": operated(of=thing),
        "DELETE /api/v1/operator/things/{thing_id}": operated(204, superuser=True, of=thing),
    }

`of` makes what the path names, anew for each row, as the scene's owner: `async def thing(scene) -> {"thing_id": id}`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.factories import Account, Make
from tests.server import Site

NOBODY, HIDDEN = 401, 404

Made = dict[str, Any]


@dataclass
class Scene:
    """Who calls, and where. `owner` owns what the rows make; `stranger` has an account and nothing else."""

    site: Site
    make: Make
    owner: Account
    stranger: Account
    admin: Account
    superuser: Account
    kept: dict[str, Any] = field(default_factory=dict[str, Any])
    """What rows make once and use again."""

    async def created(self, path: str, **request: Any) -> Any:
        """What the owner made by a POST to /api/v1 + `path`."""
        answer = await self.site.client.post(f"/api/v1{path}", headers=self.owner.headers, **request)
        assert answer.status_code in {200, 201}, f"the scene of the access matrix: {path}: {answer.text}"
        return answer.json()


Making = Callable[[Scene], Awaitable[Made]]


@dataclass(frozen=True)
class Row:
    """What each caller is answered. `of` fills the path, `body` (JSON, or `form`) is sent; both may be made by the scene."""

    anonymous: int
    stranger: int
    owner: int
    admin: int
    superuser: int | None = None
    of: Making | None = None
    body: Any = None
    form: Any = None
    files: Any = None
    alone: bool = False
    """Each caller is an account of its own, which the call may spoil."""


def public(ok: int = 200, **more: Any) -> Row:
    """Anybody, signed in or not."""
    return Row(ok, ok, ok, ok, **more)


def own(ok: int = 200, **more: Any) -> Row:
    """Whoever is signed in, on what is theirs."""
    return Row(NOBODY, ok, ok, ok, **more)


def owned(ok: int = 200, **more: Any) -> Row:
    """The owner of one thing, and nobody else; not even an operator."""
    return Row(NOBODY, HIDDEN, ok, HIDDEN, **more)


def operated(ok: int = 200, *, superuser: bool = False, **more: Any) -> Row:
    """Operators; with `superuser` only those."""
    return Row(NOBODY, HIDDEN, HIDDEN, HIDDEN if superuser else ok, ok if superuser else None, **more)
