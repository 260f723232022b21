"""What an account chooses to be notified of."""

from __future__ import annotations

from tests.factories import Make
from tests.notifications.helpers import texts, unread
from tests.server import Site
from vetrina.notifications.actions import notify


async def test_a_kind_that_is_off_on_the_site_is_not_listed(site: Site, make: Make) -> None:
    account, actor = await make.account(), await make.account()
    async with site.api(account) as client:
        choice = {"choices": [{"kind": "follow", "channel": "app", "is_on": False}], "is_mail_stopped": True}
        answer = (await client.patch("/notification-preferences", json=choice)).json()
        follow = next(kind for kind in answer["kinds"] if kind["kind"] == "follow")
        assert follow == {"kind": "follow", "title": "New followers", "app": False, "mail": False, "push": True}
        assert answer["is_mail_stopped"]
        unknown = {"choices": [{"kind": "nothing", "channel": "app", "is_on": False}]}
        assert (await client.patch("/notification-preferences", json=unknown)).status_code == 404
    async with site.services.db.tx() as tx:
        await notify(tx, account.id, "follow", actor=actor.id)
        await notify(tx, account.id, "follow_request", actor=actor.id)
    assert await texts(site, account) == ["Test asks to follow you"] and await unread(site, account) == 1


async def test_the_form_sets_every_kind(site: Site, make: Make) -> None:
    account = await make.account()
    async with site.browser(account) as browser:
        answer = await browser.post("/settings/notifications", data={"like:app": "1", "comment:push": "1"})
        assert answer.status_code == 303
        assert "Daily mail" in (await browser.get("/settings/notifications")).text
    async with site.api(account) as client:
        kinds = {kind["kind"]: kind for kind in (await client.get("/notification-preferences")).json()["kinds"]}
    assert kinds["like"] | {"title": ""} == {"kind": "like", "title": "", "app": True, "mail": False, "push": False}
    assert not kinds["comment"]["app"] and kinds["comment"]["push"] and not kinds["answer"]["mail"]
