"""The answer that was kept under an Idempotency-Key, sent as it was sent first."""

from __future__ import annotations

from typing import Any

from litestar import Response

from vetrina.core.idempotency import Turn


def answer(turn: Turn) -> Response[Any]:
    """The turn's answer; one that was given before says so in a header."""
    assert turn.answer is not None
    headers = {"Idempotency-Replayed": "true"} if turn.replayed else {}
    return Response(turn.answer.body.encode(), status_code=turn.answer.status, media_type="application/json", headers=headers)
