"""Who may call what of the wallet."""

from __future__ import annotations

from tests.access.rows import Row, own, public

ROWS: dict[str, Row] = {
    "GET /api/v1/wallet": own(),
    "GET /api/v1/wallet/entries": own(),
    "GET /api/v1/packs": public(),
    "GET /api/v1/plans": public(),
}
