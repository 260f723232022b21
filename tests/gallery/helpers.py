"""Posts for tests, written over HTTP."""

from __future__ import annotations

from typing import Any

from tests.factories import Account
from tests.server import Site
from vetrina.core.database.connection import Database
from vetrina.demo.photos import path_of


async def upload(site: Site, account: Account, name: str = "coffee", category: str = "product_image") -> str:
    """Upload a photograph to the account's library and return its id."""
    async with site.api(account) as client:
        file = {"file": (f"{name}.jpg", path_of(name).read_bytes(), "image/jpeg")}
        answer = await client.post("/files", data={"category": category}, files=file)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def written(
    site: Site, account: Account, *, publish: bool = True, file: str | None = None, **fields: Any
) -> dict[str, Any]:
    """Write a post of one picture, and publish it."""
    file = file or await upload(site, account)
    async with site.api(account) as client:
        answer = await client.post("/posts", json={"images": [{"file_id": file, "alt": "A cup"}], **fields})
        assert answer.status_code == 201, answer.text
        post = answer.json()
        if publish:
            answer = await client.post(f"/posts/{post['id']}/publication")
            assert answer.status_code == 201, answer.text
            post = answer.json()
    return dict(post)


def address(post: dict[str, Any]) -> str:
    """Return the path of a post below /api/v1, or of its page."""
    return f"/posts/{post['account_id']}/{post['id']}"


async def wrong_counters(db: Database) -> list[Any]:
    """Return the counters that differ from the rows they count."""
    async with db.read() as tx:
        rows = await tx.connection.execute("""
            with counted as (
              select post_account_id as account_id, post_id as subject_id, 'likes' as kind, count(*) as n
                from gallery.likes group by 1, 2
              union all
              select post_account_id, post_id, 'comments', count(*) from gallery.comments group by 1, 2
              union all
              select followed_account_id, followed_account_id, 'followers', count(*)
                from gallery.follows where is_approved group by 1
              union all
              select account_id, account_id, 'following', count(*) from gallery.follows where is_approved group by 1),
            kept as (select account_id, subject_id, kind, sum(count) as n from gallery.counters group by 1, 2, 3)
            select account_id, subject_id, kind, counted.n, kept.n
              from counted full join kept using (account_id, subject_id, kind)
             where coalesce(counted.n, 0) <> coalesce(kept.n, 0)""")
        return await rows.fetchall()
