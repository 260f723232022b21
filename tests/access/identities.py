"""Who may call what of identities at providers. The scene's site has none set up: nobody gets as far as a provider."""

from __future__ import annotations

from tests.access.matrix import Made, Row, Scene, own, owned, public
from vetrina.core.database.ids import new_id


async def identity(scene: Scene) -> Made:
    """An identity of the owner's, besides another one."""
    ids = [new_id(), new_id()]
    async with scene.make.services.db.tx() as tx:
        for item in ids:
            await tx.connection.execute(
                """insert into accounts.identities (issuer, subject, account_id, id, provider)
                   values ('https://id.example', %s, %s, %s, 'example')""",
                [str(item), scene.owner.id, item],
            )
    return {"identity_id": ids[0]}


async def provider(scene: Scene) -> Made:
    """A provider that is not set up."""
    return {"name": "elsewhere"}


RETURN = {"transaction": "x", "code": "x", "state": "x"}
LINKING = {"provider": "elsewhere"}

ROWS: dict[str, Row] = {
    "GET /api/v1/auth/providers": public(),
    "POST /api/v1/auth/providers/{name}/authorizations": public(404, of=provider, body={}),
    "POST /api/v1/auth/providers/{name}/session": public(404, of=provider, body=RETURN),
    "GET /api/v1/identities": own(),
    "POST /api/v1/identities": own(404, body={**RETURN, **LINKING}),
    "POST /api/v1/identities/authorizations": own(404, body=LINKING),
    "DELETE /api/v1/identities/{identity_id}": owned(204, of=identity),
}
