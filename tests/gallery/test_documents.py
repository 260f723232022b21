"""The gallery document's tables under its own names (`doc_gallery`)."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

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


async def test_failed_transactions_are_of_checkouts_and_of_stripe_alone(site: Site, make: Make, database: str) -> None:
    """Each failure once: a charge of an own checkout, and an invoice whose charge failed, are not counted twice."""
    account = await make.account()
    charge = {
        "object": "charge",
        "customer": "cus_9",
        "status": "failed",
        "amount": 700,
        "currency": "usd",
        "created": 1_750_000_000,
    }
    invoice = {
        "object": "invoice", "customer": "cus_9", "status": "open", "currency": "eur", "amount_remaining": 900,
        "attempt_count": 2, "created": 1_750_000_000,
    }  # fmt: skip
    mirrored = [
        ("charges", {**charge, "id": "ch_ours", "payment_intent": "pi_ours"}),
        ("charges", {**charge, "id": "ch_alone", "failure_code": "card_declined", "failure_message": "Your card was declined."}),
        ("charges", {**charge, "id": "ch_paid", "status": "succeeded"}),
        ("charges", {**charge, "id": "ch_of_invoice", "invoice": "in_with_charge"}),
        ("invoices", {**invoice, "id": "in_with_charge"}),
        ("invoices", {**invoice, "id": "in_alone"}),
        ("invoices", {**invoice, "id": "in_ours"}),
        ("invoices", {**invoice, "id": "in_never_tried", "attempt_count": 0}),
        ("invoices", {**invoice, "id": "in_paid", "status": "paid", "amount_remaining": 0}),
    ]
    async with site.services.db.tx() as tx:
        for table, data in mirrored:
            query = f"insert into stripe_mirror.{table} (id, data, event_at, event_rank, event_id) values (%s, %s, now(), 1, %s)"
            await tx.connection.execute(query.encode(), (data["id"], Jsonb(data), f"evt_{data['id']}"))
        for ref in ("pi_ours", "in_ours/2"):
            await tx.connection.execute(
                "insert into payments.failed_transactions (account_id, gateway, ref, amount, currency, code, reason, failed_at)"
                " values (%s, 'stripe', %s, 700, 'USD', 'card_declined', 'Declined', now())",
                (account.id, ref),
            )
    failed = await rows(database, "select * from doc_gallery.failed_transactions order by ref")
    assert [(row["ref"], row["customer_id"], row["amount"], row["currency"], row["code"]) for row in failed] == [
        ("ch_alone", "cus_9", 700, "USD", "card_declined"),
        ("ch_of_invoice", "cus_9", 700, "USD", None),
        ("in_alone", "cus_9", 900, "EUR", "invoice_payment_failed"),
        ("in_ours/2", str(account.id), 700, "USD", "card_declined"),
        ("pi_ours", str(account.id), 700, "USD", "card_declined"),
    ]
    assert len({row["id"] for row in failed}) == 5


async def test_documented_conversations_join(site: Site, make: Make, database: str) -> None:
    ada, leo = await make.account(), await make.account()
    async with site.api(ada) as one, site.api(leo) as two:
        path = f"/conversations/{(await one.post('/conversations', json={'account_ids': [str(leo.id)]})).json()['id']}"
        await one.post(f"{path}/messages", json={"body": "Hello Leo"})
        await two.post(f"{path}/messages", json={"body": "Hello Ada"})
        await two.put(f"{path}/hiding")
    joined = await rows(
        database,
        """select c.kind, m.sender_sub, u.sub, v.is_visible, m.is_deleted
             from doc_gallery.conversations c
             join doc_gallery.conversation_participants p on p.conversation_id = c.id
             join doc_gallery.conversation_visibility v on v.conversation_id = c.id and v.user_sub = p.user_sub
             join doc_gallery.cognito_users u on u.sub = p.user_sub
             join doc_gallery.messages m on m.conversation_id = c.id and m.sender_sub = u.sub
            order by m.created_at""",
    )
    assert [tuple(row.values()) for row in joined] == [
        ("direct", str(ada.id), str(ada.id), True, False),
        ("direct", str(leo.id), str(leo.id), False, False),
    ]
    assert "Hello" not in str(await rows(database, "select * from doc_gallery.messages")), "what they say is not for reports"
