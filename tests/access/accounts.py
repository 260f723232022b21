"""Who may call what of accounts."""

from __future__ import annotations

from tests.access.matrix import Made, Row, Scene, operated, own, owned, public
from vetrina.accounts.privacy import exports, queries
from vetrina.core.database.ids import new_id

PASSWORD = "a long enough one"


async def registering(scene: Scene) -> Made:
    """A registration that nobody made yet."""
    return {"email": f"{new_id().hex[-12:]}@example.com", "password": PASSWORD}


async def registered(scene: Scene) -> Made:
    """How to sign in to an account that is there."""
    if "login" not in scene.kept:
        scene.kept["login"] = login = await registering(scene)
        await scene.created("/auth/registration", json=login)
    return scene.kept["login"]


async def refreshable(scene: Scene) -> Made:
    """A refresh token that was not used yet."""
    token = await scene.created("/auth/session", json=await registered(scene))
    return {"refresh_token": token["refresh_token"]}


async def somebody(scene: Scene) -> Made:
    """An account that operators may do things to."""
    return {"account_id": (await scene.make.account()).id}


async def session(scene: Scene) -> Made:
    """A session of the owner's, besides the one that calls."""
    return {"session_id": (await scene.make.session(scene.owner)).session_id}


async def a_role(scene: Scene) -> Made:
    """An account and a role that it may have."""
    return {**await somebody(scene), "role": "member"}


async def an_export(scene: Scene) -> Made:
    """A copy of everything of the owner's."""
    async with scene.make.services.db.tx() as tx:
        return {"export_id": await exports.request_export(tx, scene.make.services, scene.owner.id)}


async def an_ended_export(scene: Scene) -> Made:
    """An export of the owner's that can be deleted."""
    async with scene.make.services.db.tx() as tx:
        await tx.connection.execute("update accounts.exports set status = 'failed' where status = 'pending'")
        export = await exports.request_export(tx, scene.make.services, scene.owner.id)
        await tx.execute(queries.FAIL_EXPORT, account=scene.owner.id, id=export)
    return {"export_id": export}


async def a_setting(scene: Scene) -> Made:
    """A setting that may be changed."""
    return {"key": "wallet.welcome_tokens"}


ROWS: dict[str, Row] = {
    "GET /api/v1/operator/accounts/{account_id}/notes": operated(of=somebody),
    "POST /api/v1/operator/accounts/{account_id}/notes": operated(201, of=somebody, body={"text": "Called about an invoice."}),
    "GET /api/v1/operator/search": operated(),
    "POST /api/v1/auth/registration": public(201, body=registering),
    "POST /api/v1/auth/session": public(201, body=registered),
    "POST /api/v1/auth/refresh": public(201, body=refreshable),
    "DELETE /api/v1/auth/session": own(204, alone=True),
    "GET /api/v1/me": own(),
    "GET /api/v1/usage": own(),
    "GET /api/v1/sessions": own(),
    "POST /api/v1/sessions/revocation": own(204),
    "POST /api/v1/sessions/{session_id}/revocation": Row(401, 404, 204, 404, of=session),
    "GET /api/v1/audit-logs": own(),
    "GET /api/v1/exports": own(),
    "POST /api/v1/exports": own(202, alone=True),
    "GET /api/v1/exports/{export_id}": owned(of=an_export),
    "DELETE /api/v1/exports/{export_id}": owned(204, of=an_ended_export),
    "POST /api/v1/erasure": own(202, alone=True, body={"confirmation": "erase my account"}),
    "GET /api/v1/operator/audit-logs": operated(),
    "GET /api/v1/operator/settings": operated(),
    "PUT /api/v1/operator/settings/{key}": operated(of=a_setting, body={"value": 20}),
    "GET /api/v1/operator/accounts": operated(),
    "GET /api/v1/operator/accounts/{account_id}": operated(of=somebody),
    "POST /api/v1/operator/accounts/{account_id}/disabling": operated(201, of=somebody, body={"why": "it was asked for"}),
    "POST /api/v1/operator/accounts/{account_id}/enabling": operated(201, of=somebody),
    "POST /api/v1/operator/accounts/{account_id}/sessions/revocation": operated(204, of=somebody),
    "POST /api/v1/operator/accounts/{account_id}/second-factor-removal": operated(409, of=somebody),
    "DELETE /api/v1/operator/accounts/{account_id}/second-factor-removal": operated(204, of=somebody),
    "GET /api/v1/operator/accounts/{account_id}/storage": operated(of=somebody),
    "PUT /api/v1/operator/accounts/{account_id}/storage": operated(of=somebody, body={"own_mb": 100}),
    "POST /api/v1/operator/accounts/{account_id}/roles": operated(201, superuser=True, of=somebody, body={"role": "user"}),
    "DELETE /api/v1/operator/accounts/{account_id}/roles/{role}": operated(204, superuser=True, of=a_role),
}
