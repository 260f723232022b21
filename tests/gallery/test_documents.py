"""The gallery document's tables under its own names (`doc_gallery`)."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.factories import Make
from tests.gallery.helpers import address, written
from tests.server import Site


async def rows(uri: str, query: str) -> list[dict[str, Any]]:
    """Return what the reporting role reads."""
    async with await psycopg.AsyncConnection.connect(uri.replace("vetrina_app", "vetrina_reporting")) as connection:
        cursor = connection.cursor(row_factory=dict_row)
        return await (await cursor.execute(query.encode())).fetchall()


async def test_documented_relations_join(site: Site, make: Make, database: str) -> None:
    artist, fan = await make.account(), await make.account()
    post = await written(site, artist, title="A cup")
    await written(site, artist, file=post["images"][0]["file"]["id"], publish=False)
    async with site.services.db.tx() as tx:
        await tx.connection.execute("select stripe_mirror.link_customer(%s, 'cus_1', 'checkout')", (artist.id,))
        await tx.connection.execute(
            "insert into accounts.identities (issuer, subject, account_id, id, provider)"
            " values ('https://idp.example', 'sub-1', %s, gen_random_uuid(), 'cognito')",
            (artist.id,),
        )
    async with site.api(fan) as client:
        await client.put(f"/following/{artist.id}")
        await client.put(f"{address(post)}/like")
    joined = await rows(
        database,
        """select u.sub, c.customer_id, p.id, i.file_id, l.user_sub, f.follower_id, d.upload_count
             from doc_gallery.cognito_users u
             join doc_gallery.stripe_customers c on c.aws_sub = u.sub and c.customer_id = u.customer_id
             join doc_gallery.gallery_posts p on p.customer_id = c.customer_id
             join doc_gallery.posts_imgs i on i.post_id = p.id
             join doc_gallery.likes l on l.post_id = p.id
             join doc_gallery.followers f on f.followed_id = u.sub and f.follower_id = l.user_sub
             join doc_gallery.image_uploads d on d.customer_id = c.customer_id""",
    )
    assert [(row["sub"], row["customer_id"], str(row["id"]), row["user_sub"], row["upload_count"]) for row in joined] == [
        ("sub-1", "cus_1", post["id"], str(fan.id), 1)
    ]
    others = await rows(database, f"select sub, email, customer_id from doc_gallery.cognito_users where sub = '{fan.id}'")
    assert others[0]["customer_id"] == str(fan.id) and fan.email not in str(others)


async def test_all_documented_tables_are_readable(site: Site, database: str) -> None:
    for table in ("subscriptions", "invoices", "webhook_events", "failed_transactions"):
        assert await rows(database, f"select * from doc_gallery.{table}") == []
