"""Who may call what belongs to no module."""

from __future__ import annotations

from tests.access.matrix import Row, public

ROWS: dict[str, Row] = {
    # Only a development site has one; elsewhere nobody learns that there could be.
    "GET /api/v1/outbox": public(404),
}
