"""The response stored under an Idempotency-Key, sent exactly as it was sent first."""

from __future__ import annotations

from typing import Any

from litestar import Response

from vetrina.core.idempotency import IdempotentRequest


def answer(keyed: IdempotentRequest) -> Response[Any]:
    """Return the stored response; a repeated one says so in a header."""
    assert keyed.answer is not None
    headers = {"Idempotency-Replayed": "true"} if keyed.replayed else {}
    return Response(keyed.answer.body.encode(), status_code=keyed.answer.status, media_type="application/json", headers=headers)
