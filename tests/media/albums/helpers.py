"""A business with pictures, for tests of albums."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tests.factories import Account, Make
from tests.server import Site
from vetrina.core.database.connection import Database
from vetrina.core.database.ids import new_id


async def business(make: Make, site: Site, handle: str | None = None) -> Account:
    """Return an account with a business profile."""
    account = await make.account(kind="vendor")
    if handle:
        async with site.api(account) as client:
            answer = await client.patch("/me/profile", json={"handle": handle})
            assert answer.status_code == 200, answer.text
    return account


async def rows(db: Database, account: Account, count: int, *, is_public: bool = False) -> list[str]:
    """Write rows of files without bytes and return their ids, in order."""
    ids = [new_id() for _ in range(count)]
    async with db.tx() as tx:
        await tx.connection.execute(
            """
            insert into media.files (account_id, id, category, file_name, storage_key, sha256, mime, bytes, derived_bytes,
                                     width, height, colour, is_public)
            select %s, u.id, 'album_image', 'bowl ' || u.n || '.jpg', %s::text || '/' || u.id, sha256(u.id::text::bytea),
                   'image/jpeg', 1000, 100, 300, 200, '#aabbcc', %s
              from unnest(%s::uuid[]) with ordinality as u (id, n)""",
            (account.id, str(account.id), is_public, ids),
        )
    return [str(file_id) for file_id in ids]


async def album(site: Site, account: Account, files: list[str], **fields: Any) -> dict[str, Any]:
    """Create an album of these files over the API, and change the given fields."""
    async with site.api(account) as client:
        answer = await client.post("/albums", json={"name": fields.pop("name", "Bowls")})
        assert answer.status_code == 201, answer.text
        path = f"/albums/{answer.json()['id']}"
        for start in range(0, len(files), 500):
            added = await client.post(f"{path}/files", json={"file_ids": files[start : start + 500]})
            assert added.status_code == 201, added.text
        if fields:
            changed = await client.patch(path, json=fields)
            assert changed.status_code == 200, changed.text
        return dict((await client.get(path)).json())


async def counts(db: Database, album_id: str) -> tuple[int, int]:
    """Return the count kept in the album, and the number of its rows."""
    async with db.read() as tx:
        cursor = await tx.connection.execute(
            """
            select image_count, (select count(*) from media.album_files where album_id = a.id)
              from media.albums a where id = %s""",
            (UUID(album_id),),
        )
        row = await cursor.fetchone()
    assert row is not None
    return int(row[0]), int(row[1])
