"""Who may call what of the ways in: codes, resets, the second factor."""

from __future__ import annotations

from tests.access.matrix import Made, Row, Scene, own, public
from vetrina.core.database.ids import new_id


async def target(scene: Scene) -> Made:
    """An address that nobody has asked a code for."""
    return {"email": f"{new_id().hex[-12:]}@example.com"}


async def wanted(scene: Scene) -> Made:
    """A code for it."""
    return {**await target(scene), "purpose": "email_verify"}


async def confirming(scene: Scene) -> Made:
    """A code that was never sent."""
    return {**await wanted(scene), "code": "000000"}


async def resetting(scene: Scene) -> Made:
    """The same with a new password."""
    return {**await target(scene), "code": "000000", "password": "a long enough one"}


ROWS: dict[str, Row] = {
    "POST /api/v1/auth/verifications": public(202, body=wanted),
    "POST /api/v1/auth/verifications/confirmation": public(422, body=confirming),
    "POST /api/v1/auth/password-reset": public(202, body=target),
    "POST /api/v1/auth/password-reset/confirmation": public(422, body=resetting),
    "POST /api/v1/auth/session/second-factor": public(401, body={"challenge": "nonsense", "code": "000000"}),
    "GET /api/v1/auth/second-factor": own(),
    # These accounts have no password and nothing begun: whoever is signed in is told so of their own account.
    "POST /api/v1/auth/second-factor": own(201, body={}, alone=True),
    "POST /api/v1/auth/second-factor/confirmation": own(409, body={"code": "000000"}, alone=True),
    "POST /api/v1/auth/second-factor/recovery-codes": own(409, body={}, alone=True),
    # These accounts have no password, and have signed in just now.
    "POST /api/v1/auth/identifiers": own(202, body={"email": "new@example.com"}, alone=True),
    "POST /api/v1/auth/identifiers/confirmation": own(422, body={"email": "new@example.com", "code": "000000"}, alone=True),
    "POST /api/v1/auth/identifiers/undo": public(410, body={"token": "nonsense"}),
    "POST /api/v1/auth/password": own(409, body={"password": "", "new_password": "a long enough one"}, alone=True),
    "POST /api/v1/auth/confirmation": own(403, body={}, alone=True),
    "POST /api/v1/auth/second-factor/removal": own(409, body={}, alone=True),
}
