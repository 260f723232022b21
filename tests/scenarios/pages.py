"""Every address that a browser may show, and the scene in which it shows something.

A new page needs a row in PAGES: its route, who opens it ("anyone", "owner", "operator"), and an address in which names in
braces are those of the scene. What is no page (a file, a redirect, a document for programs) is in NOT_PAGES.
"""

from __future__ import annotations

import time
from typing import Any

from tests.access.matrix import Scene
from tests.gallery.helpers import written
from tests.stripe_mirror.helpers import deliver, ingest
from tests.studio.helpers import ended, upload, wish
from vetrina.core.web import dev_outbox
from vetrina.demo.photos import path_of
from vetrina.modules import CORE, MODULES
from vetrina.stripe_mirror.consistency import sample_data

NOT_PAGES = {
    "/.well-known/change-password", "/.well-known/security.txt", "/@/{handle:str}/feed.atom", "/@/{handle:str}/feed.json",
    "/@/{handle:str}/albums.atom", "/albums/{album_id:uuid}/album.zip",
    "/api/docs/openapi.json", "/api/v1/outbox", "/auth/providers/{name:str}", "/auth/providers/{name:str}/callback", "/buy",
    "/conversations/{conversation_id:uuid}/changes",
    "/conversations/{conversation_id:uuid}/messages/{position:int}/images/{number:int}/{variant:str}",
    "/exports/{account_id:uuid}/{file:str}", "/favicon.ico", "/feed.atom", "/feed.json", "/feed/new", "/healthz",
    "/library/picks", "/library/trash/{file_id:uuid}/picture", "/media/{account_id:uuid}/{file_id:uuid}/card.jpg",
    "/media/{account_id:uuid}/{file_id:uuid}/{variant:str}",
    "/members.csv", "/metrics", "/oembed", "/operator/audit.csv", "/service-worker.js",
    "/unsubscribe/{token:str}", "/payments/stripe/return", "/payments/zarinpal/callback",
    "/payments/{payment_id:uuid}/events", "/payments/{payment_id:uuid}/receipt.pdf", "/readyz",
    "/reports/{name:str}/figures.csv", "/robots.txt", "/sitemap.xml", "/sitemaps/pages.xml", "/sitemaps/{name:str}/{first:str}",
    "/styles/{name:str}", "/wallet/entries.csv",
}  # fmt: skip
"""Routes that answer with a file, a redirect, a part of a page or a document for programs."""

PAGES: dict[str, tuple[str, str]] = {
    "/": ("anyone", "/"),
    "/sign-in": ("anyone", "/sign-in"),
    "/sign-up": ("anyone", "/sign-up?kind=vendor&way=phone"),
    "/reset": ("anyone", "/reset"),
    "/reset/code": ("resetting", "/reset/code"),
    "/reset/link/{token:str}": ("anyone", "/reset/link/nonsense"),
    "/verify": ("signing up", "/verify"),
    "/verify/link/{token:str}": ("anyone", "/verify/link/nonsense"),
    "/undo/{token:str}": ("anyone", "/undo/nonsense"),
    "/sign-in/second-factor": ("second factor", "/sign-in/second-factor"),
    "/terms": ("anyone", "/terms"),
    "/privacy": ("anyone", "/privacy"),
    "/refunds": ("anyone", "/refunds"),
    "/imprint": ("anyone", "/imprint"),
    "/contact": ("anyone", "/contact"),
    "/api/docs": ("anyone", "/api/docs?q=generations"),
    "/prices": ("anyone", "/prices"),
    "/explore": ("anyone", "/explore"),
    "/offline": ("anyone", "/offline"),
    "/outbox": ("anyone", "/outbox"),
    "/{rest:path}": ("anyone", "/nothing/is/here"),
    "/@/{handle:str}": ("anyone", "/@ada"),
    "/@/{handle:str}/posts": ("anyone", "/@ada/posts"),
    "/@/{handle:str}/albums": ("anyone", "/@ada/albums"),
    "/@/{handle:str}/albums/{slug:str}": ("anyone", "/@ada/albums/bowls"),
    "/@/{handle:str}/followers": ("anyone", "/@ada/followers"),
    "/pictures/{account_id:uuid}/{generation_id:uuid}": ("anyone", "/pictures/{owner}/{generation}"),
    "/posts/{account_id:uuid}/{post_id:uuid}": ("anyone", "/posts/{owner}/{post}"),
    "/report/{account_id:uuid}/{file_id:uuid}": ("anyone", "/report/{owner}/{result}"),
    "/account": ("owner", "/account"),
    "/account/usage": ("owner", "/account/usage"),
    "/settings/profile": ("owner", "/settings/profile"),
    "/settings/security": ("owner", "/settings/security"),
    "/settings/security/second-factor": ("owner", "/settings/security/second-factor"),
    "/settings/sessions": ("owner", "/settings/sessions"),
    "/settings/identities": ("owner", "/settings/identities"),
    "/settings/domains": ("owner", "/settings/domains"),
    "/settings/audit": ("owner", "/settings/audit"),
    "/settings/privacy": ("owner", "/settings/privacy"),
    "/settings/followers": ("owner", "/settings/followers"),
    "/studio": ("owner", "/studio?product={file}"),
    "/studio/generations": ("owner", "/studio/generations"),
    "/studio/generations/{generation_id:uuid}": ("owner", "/studio/generations/{generation}"),
    "/studio/batches/{batch_id:uuid}": ("owner", "/studio/batches/{batch}"),
    "/studio/compare": ("owner", "/studio/compare?generation={generation}&generation={other}"),
    "/studio/cutouts/{file_id:uuid}": ("owner", "/studio/cutouts/{file}"),
    "/library": ("owner", "/library"),
    "/library/trash": ("owner", "/library/trash"),
    "/library/{file_id:uuid}": ("owner", "/library/{file}"),
    "/library/{file_id:uuid}/origin": ("owner", "/library/{result}/origin"),
    "/wallet": ("owner", "/wallet"),
    "/wallet/buy": ("owner", "/wallet/buy"),
    "/plan": ("owner", "/plan"),
    "/payments": ("owner", "/payments"),
    "/payments/{payment_id:uuid}": ("owner", "/payments/{payment}"),
    "/payments/{payment_id:uuid}/receipt": ("owner", "/payments/{payment}/receipt"),
    "/payments/sandbox/{token:str}": ("owner", "{checkout}"),
    "/feed": ("owner", "/feed"),
    "/albums": ("owner", "/albums"),
    "/albums/{album_id:uuid}": ("owner", "/albums/{album}"),
    "/albums/{album_id:uuid}/choices": ("owner", "/albums/{album}/choices"),
    "/posts": ("owner", "/posts"),
    "/posts/new": ("owner", "/posts/new"),
    "/posts/new/{generation_id:uuid}": ("owner", "/posts/new/{generation}"),
    "/conversations": ("owner", "/conversations"),
    "/conversations/with/{account_id:uuid}": ("owner", "/conversations/with/{operator}"),
    "/conversations/new": ("owner", "/conversations/new"),
    "/conversations/{conversation_id:uuid}": ("owner", "/conversations/{conversation}"),
    "/notifications": ("owner", "/notifications"),
    "/settings/notifications": ("owner", "/settings/notifications"),
    "/posts/{post_id:uuid}/edit": ("owner", "/posts/{draft}/edit"),
    "/operator": ("operator", "/operator"),
    "/operator/accounts": ("operator", "/operator/accounts"),
    "/operator/accounts/{account_id:uuid}": ("operator", "/operator/accounts/{owner}"),
    "/operator/accounts/{account_id:uuid}/ledger": ("operator", "/operator/accounts/{owner}/ledger"),
    "/operator/audit": ("operator", "/operator/audit"),
    "/operator/jobs": ("operator", "/operator/jobs"),
    "/operator/packs": ("operator", "/operator/packs"),
    "/operator/plans": ("operator", "/operator/plans"),
    "/operator/plans/{name:str}": ("operator", "/operator/plans/basic"),
    "/operator/pages": ("operator", "/operator/pages"),
    "/operator/pages/{name:str}/{code:str}": ("operator", "/operator/pages/terms/en"),
    "/operator/payments": ("operator", "/operator/payments"),
    "/operator/payments/{account_id:uuid}/{payment_id:uuid}": ("operator", "/operator/payments/{owner}/{payment}"),
    "/operator/public-pictures": ("operator", "/operator/public-pictures"),
    "/operator/search": ("operator", "/operator/search?q=ada"),
    "/operator/settings": ("operator", "/operator/settings"),
    "/operator/stripe": ("operator", "/operator/stripe"),
    "/operator/webhooks": ("operator", "/operator/webhooks"),
    "/operator/webhooks/{event_id:str}": ("operator", "/operator/webhooks/{event}"),
    "/members": ("operator", "/members"),
    "/members/{customer_id:str}": ("operator", "/members/{customer}"),
    "/reports": ("operator", "/reports"),
    "/reports/connect": ("operator", "/reports/connect"),
    "/reports/{name:str}": ("operator", "/reports/mrr"),
}
"""Who opens a page, and where; "resetting", "signing up" and "second factor" are anyone on that way."""

FURTHER = [
    ("owner", "/"),
    ("owner", "/studio"),
    ("owner", "/studio/generations/{cancelled}"),
    ("owner", "/library?q=nothing"),
    ("owner", "/wallet/buy?what=contact"),
    ("stranger", "/studio"),
    ("stranger", "/library"),
    ("stranger", "/studio/generations"),
    ("stranger", "/wallet"),
    ("stranger", "/payments"),
    ("anyone", "/sign-up"),
    ("anyone", "/sign-in?way=phone"),
]
"""Further states of pages: empty ones for a stranger, other forms."""


def routes() -> set[str]:
    """Return the paths of all GET routes of pages."""
    handlers = [*(route for module in (CORE, *MODULES) for route in module.page_routes()), *dev_outbox.ROUTES]
    return {path for route in handlers if "GET" in {str(m) for m in getattr(route, "http_methods", ())} for path in route.paths}


async def fill(scene: Scene) -> dict[str, Any]:
    """Make what the pages show; return the names of their addresses."""
    site, owner = scene.site, scene.owner
    now = int(time.time())
    async with site.api(owner) as api, site.browser(owner) as browser:
        await api.patch("/me/profile", json={"handle": "ada", "bio": "Prints after photographs."})
        file = await upload(api)
        generation, other = [(await api.post("/generations", json=wish(file, seed=seed))).json()["id"] for seed in (1, 2)]
        batch = {**wish(file), "kind": "seeds", "count": 2}
        batch_id = (await api.post("/batches", json=batch)).json()["id"]
        result = (await ended(api, generation))["result_files"][0]["id"]
        await ended(api, other)
        await api.post(f"/generations/{generation}/sharing", json={"is_public": True})
        cancelled = (await api.post("/generations", json=wish(file, style_name="oil", parameters={"size": 3200}))).json()["id"]
        await api.post(f"/generations/{cancelled}/cancellation")
        pack = next(pack for pack in (await api.get("/packs")).json()["items"] if pack["asset"] == "token")
        payment, open_payment = [
            (await api.post("/payments", json={"pack_id": pack["id"], "gateway": "sandbox"})).json() for _ in range(2)
        ]
        await browser.post(payment["checkout_url"], data={"outcome": "paid"})
        talk = (await api.post("/conversations", json={"account_ids": [str(scene.stranger.id)]})).json()["id"]
        await api.post(f"/conversations/{talk}/messages", json={"body": "Hello"})
        photo = {"file": ("cat.jpg", path_of("cat").read_bytes(), "image/jpeg")}
        await api.post("/files", data={"category": "profile_image"}, files=photo)
        await api.patch("/me/profile", json={"business": {"business_name": "Ada's Press"}})
        album = (await api.post("/albums", json={"name": "Bowls", "description": "In oil."})).json()["id"]
        await api.post(f"/albums/{album}/files", json={"file_ids": [result, file]})
        await api.patch(f"/albums/{album}", json={"is_public": True, "with_pictures": True})
    post = await written(site, owner, file=file, body="A cup")
    draft = await written(site, owner, file=file, publish=False)
    async with site.api(scene.stranger) as api:
        await api.patch("/me/profile", json={"handle": "grace"})
        await api.put(f"/posts/{owner.id}/{post['id']}/like")
        await api.post(f"/posts/{owner.id}/{post['id']}/comments", json={"body": "How fine"})
        await api.post(f"/public-pictures/{owner.id}/{result}/reports", json={"reason": "spam"})
    async with site.browser(scene.superuser) as browser:
        for page in ("terms", "privacy", "refunds", "imprint", "contact"):
            await browser.post(f"/operator/pages/{page}/en", data={"body": "# Who we are\n\nA studio in Tehran."})
            await browser.post(f"/operator/pages/{page}/fa", data={"body": "# ما که هستیم\n\nیک استودیو در تهران."})
    customer = {**sample_data.customer(1, now - 600), "email": "ada.buys@example.com"}
    created = sample_data.event("customer.created", customer, now - 60, 1)
    subscription = sample_data.event("customer.subscription.updated", sample_data.subscription(1, now, status="active"), now, "a")
    await deliver(site, created)
    await ingest(site.services.db, [subscription])
    return {
        "owner": owner.id,
        "operator": scene.superuser.id,
        "file": file, "generation": generation, "other": other, "batch": batch_id, "result": result,
        "cancelled": cancelled, "payment": payment["id"], "checkout": open_payment["checkout_url"], "post": post["id"],
        "draft": draft["id"], "conversation": talk, "album": album, "event": created["id"], "customer": customer["id"],
    }  # fmt: skip
