"""Public pictures: reports, removal with a reason, restoration, the front page."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from tests.accounts.auth_helpers import letters
from tests.factories import Account, Make
from tests.media.processing import bad_files as corpus
from tests.server import Site, serving
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles.actions import Role
from vetrina.core.services import Services
from vetrina.core.settings.environment import Settings
from vetrina.modules import connect


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A site in development, whose letters are in its outbox."""
    return replace(settings, development=True)


@pytest_asyncio.fixture
async def operator(make: Make) -> Account:
    """An admin."""
    account = await make.account()
    async with make.services.db.tx() as tx:
        await roles.grant(tx, account.id, Role.ADMIN)
    return account


async def published(site: Site, account: Account) -> dict[str, Any]:
    """Upload and publish a picture of the account."""
    async with site.api(account) as api:
        upload = {"file": ("cup.jpg", corpus.photograph(400, 300), "image/jpeg")}
        file = (await api.post("/files", files=upload, data={"category": "product_image"})).json()
        answer = await api.patch(f"/files/{file['id']}", json={"is_public": True})
        assert answer.status_code == 200, answer.text
        return answer.json()


async def test_taken_down_picture_leaves_public_places_until_restored(
    site: Site, worker: Services, make: Make, operator: Account
) -> None:
    owner = await make.account()
    file = await published(site, owner)
    async with site.api(owner) as owner_api, site.api(operator) as api, site.browser(owner) as browser:
        await owner_api.patch("/me/profile", json={"handle": "maker", "avatar": file["id"]})
        assert file["id"] in (await site.client.get("/@maker")).text
        path = f"/operator/public-pictures/{owner.id}/{file['id']}"

        taken = (await api.post(f"{path}/takedown", json={"reason": "It shows a <b>person</b>."})).json()
        assert (taken["is_public"], taken["takedown_reason"]) == (False, "It shows a <b>person</b>.")
        assert (await site.client.get(file["url"])).status_code == 404
        page = await site.client.get("/@maker")
        assert page.status_code == 200 and file["id"] not in page.text

        refused = await owner_api.patch(f"/files/{file['id']}", json={"is_public": True})
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:vetrina:taken-down")
        portrait = await owner_api.patch("/me/profile", json={"avatar": file["id"]})
        assert portrait.json()["type"] == "urn:vetrina:taken-down"
        assert (await owner_api.get(f"/files/{file['id']}")).json()["takedown_reason"] == "It shows a <b>person</b>."
        page_text = (await browser.get(f"/library/{file['id']}")).text
        assert (
            "Removed from the public gallery by an operator" in page_text and "It shows a &lt;b&gt;person&lt;/b&gt;." in page_text
        )
        assert 'name="is_public"' not in page_text and "removed from the gallery" in (await browser.get("/library")).text
        letter = (await letters(site, owner.email))[0]["text"]
        assert "removed one of your pictures" in letter and "It shows a <b>person</b>." in letter

        assert (await api.delete(f"{path}/takedown")).status_code == 204
        assert (await owner_api.get(f"/files/{file['id']}")).json() == {**file, "tags": []}
        assert (await site.client.get(file["url"])).status_code == 200
        assert (await owner_api.patch("/me/profile", json={"avatar": file["id"]})).status_code == 200
        assert "undid the removal" in (await letters(site, owner.email, 2))[0]["text"]
        log = [item for item in (await owner_api.get("/audit-logs")).json()["items"] if item["action"].startswith("picture")]
        assert [(item["action"], item["resource_id"]) for item in log] == [
            ("picture_restored", file["id"]),
            ("picture_taken_down", file["id"]),
        ]


async def test_private_picture_is_restored_as_private(site: Site, make: Make, operator: Account) -> None:
    owner = await make.account()
    file = await published(site, owner)
    report = {"reason": "spam"}
    assert (await site.client.post(f"/api/v1/public-pictures/{owner.id}/{file['id']}/reports", json=report)).status_code == 202
    async with site.api(owner) as owner_api, site.api(operator) as api:
        await owner_api.patch(f"/files/{file['id']}", json={"is_public": False})
        path = f"/operator/public-pictures/{owner.id}/{file['id']}/takedown"
        assert (await api.post(path, json={"reason": "Spam"})).status_code == 201
        await api.delete(path)
        assert (await owner_api.get(f"/files/{file['id']}")).json()["is_public"] is False


async def test_operators_do_not_see_private_pictures_without_a_report(site: Site, make: Make, operator: Account) -> None:
    owner = await make.account()
    file = await published(site, owner)
    async with site.api(owner) as owner_api, site.api(operator) as api:
        await owner_api.patch(f"/files/{file['id']}", json={"is_public": False})
        path = f"/operator/public-pictures/{owner.id}/{file['id']}"
        answers = [
            await api.get(path),
            await api.post(f"{path}/takedown", json={"reason": "x"}),
            await api.post(f"{path}/featuring"),
        ]
        assert [answer.status_code for answer in answers] == [404] * 3
        assert (
            await site.client.post(f"/api/v1/public-pictures/{owner.id}/{file['id']}/reports", json={"reason": "spam"})
        ).status_code == 404
        assert (await site.client.get(f"/report/{owner.id}/{file['id']}")).status_code == 404


async def test_publishing_and_removal_at_once_end_with_a_private_picture(site: Site, make: Make, operator: Account) -> None:
    owner = await make.account()
    file = await published(site, owner)
    async with site.api(owner) as owner_api, site.api(operator) as api:
        path = f"/operator/public-pictures/{owner.id}/{file['id']}/takedown"
        changes = [owner_api.patch(f"/files/{file['id']}", json={"is_public": True}) for _ in range(12)]
        answers = await asyncio.gather(*changes[:6], api.post(path, json={"reason": "Hate"}), *changes[6:])
        assert {answer.status_code for answer in answers} <= {200, 201, 409}
        assert (await owner_api.get(f"/files/{file['id']}")).json()["is_public"] is False


async def test_duplicate_reports_join_and_count_once_per_visitor(site: Site, make: Make, operator: Account) -> None:
    owner, first, second = await make.account(), await make.account(), await make.account()
    file = await published(site, owner)
    path = f"/api/v1/public-pictures/{owner.id}/{file['id']}/reports"
    sent: list[tuple[Account | None, dict[str, Any]]] = [
        (None, {"reason": "rights", "note": "This is mine."}),
        (None, {"reason": "rights", "note": "This is mine."}),
        (first, {"reason": "rights", "note": "I know whose it is."}),
        (first, {"reason": "rights"}),
        (second, {"reason": "privacy"}),
    ]
    for account, body in sent:
        answer = await site.client.post(path, json=body, headers=account.headers if account else None)
        assert answer.status_code == 202
    async with site.api(operator) as api, site.api(owner) as owner_api:
        (picture,) = (await api.get("/operator/public-pictures")).json()["items"]
        assert [(item["reason"], item["count"], item["notes"]) for item in picture["reports"]] == [
            ("rights", 2, ["This is mine.", "I know whose it is."]),
            ("privacy", 1, []),
        ]
        assert (await api.post(f"/operator/public-pictures/{owner.id}/{file['id']}/dismissal")).status_code == 204
        assert (await api.get("/operator/public-pictures")).json()["items"] == []
        assert (await owner_api.get(f"/files/{file['id']}")).json()["is_public"]
        await site.client.post(path, json={"reason": "rights"})  # a new report after the decision
        await api.post(f"/operator/public-pictures/{owner.id}/{file['id']}/takedown", json={"reason": "Rights"})
        assert (await api.get("/operator/public-pictures")).json()["items"] == []
        (down,) = (await api.get("/operator/public-pictures", params={"state": "taken_down"})).json()["items"]
        assert (down["id"], down["reports"]) == (file["id"], [])
        log = (await api.get("/operator/audit-logs", params={"account": str(owner.id)})).json()["items"]
        decisions = [item["action"] for item in log if item["action"].startswith("picture_report")]
        assert sorted(decisions) == ["picture_report_dismissed", "picture_report_dismissed", "picture_report_upheld"]
        assert {item["actor_id"] for item in log if item["action"].startswith("picture")} == {str(operator.id)}


async def test_reports_are_limited_by_address(site: Site, make: Make) -> None:
    async with site.services.db.tx() as tx:
        await tx.connection.execute(
            "update core.settings set value = '{\"count\": 2, \"seconds\": 3600}' where key = 'limits.reports'"
        )
    owner = await make.account()
    file = await published(site, owner)
    page = f"/report/{owner.id}/{file['id']}"
    answers = [await site.client.post(page, data={"reason": "spam"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [303, 303, 429]
    assert int(answers[2].headers["retry-after"]) > 0


@pytest.mark.parametrize("trusted", ["127.0.0.1", ""])
async def test_reports_are_limited_by_the_address_that_a_trusted_proxy_forwards(
    settings: Settings, database: str, make: Make, trusted: str
) -> None:
    """Addresses that a client forwards itself, or that no trusted proxy forwards, do not open a new limit."""
    async with serving(connect(replace(settings, trusted_proxies=trusted), database)) as site:
        async with site.services.db.tx() as tx:
            await tx.connection.execute(
                "update core.settings set value = '{\"count\": 2, \"seconds\": 3600}' where key = 'limits.reports'"
            )
        owner = await make.account()
        file = await published(site, owner)

        async def report(forwarded: str) -> int:
            headers = {"X-Forwarded-For": forwarded}
            answer = await site.client.post(f"/report/{owner.id}/{file['id']}", data={"reason": "spam"}, headers=headers)
            return answer.status_code

        assert [await report("203.0.113.9") for _ in range(3)] == [303, 303, 429]
        assert await report("198.51.100.1, 203.0.113.9") == 429
        assert await report("203.0.113.10") == (303 if trusted else 429)


async def test_report_form_without_an_account(site: Site, make: Make, operator: Account) -> None:
    owner = await make.account()
    file = await published(site, owner)
    page = f"/report/{owner.id}/{file['id']}"
    form = await site.client.get(page)
    assert form.status_code == 200 and "Report this picture" in form.text and 'content="noindex"' in form.text
    missing = await site.client.post(page, data={"note": "Keep these words"})
    assert missing.status_code == 422 and "Keep these words" in missing.text and "Choose a reason." in missing.text
    long = await site.client.post(page, data={"reason": "other", "note": "x" * 1001})
    assert long.status_code == 422
    assert (await site.client.post(page, data={"reason": "other", "note": "Look at the corner"})).status_code == 303
    async with site.browser(operator) as browser:
        listed = await browser.get("/operator/public-pictures")
        assert "Look at the corner" in listed.text and "Something else" in listed.text
        action = f"/operator/public-pictures/{owner.id}/{file['id']}"
        empty = await browser.post(f"{action}/takedown", data={"reason": " ", "state": "reported"})
        assert empty.status_code == 422 and "Give a reason" in empty.text and "Look at the corner" in empty.text
        assert (await browser.post(f"{action}/takedown", data={"reason": "Off topic"})).status_code == 303
        assert "Off topic" in (await browser.get("/operator/public-pictures?state=taken_down")).text
        assert (await browser.post(f"{action}/restoration", data={"state": "taken_down"})).status_code == 303
    assert (await site.client.get(file["url"])).status_code == 200
    async with site.browser(owner) as browser:
        assert (await browser.get("/operator/public-pictures")).status_code == 403
        assert (await browser.post(f"{action}/takedown", data={"reason": "x"})).status_code == 403


@pytest.mark.parametrize("body", [{}, {"reason": "dull"}, {"reason": "spam", "note": "x" * 1001}, {"reason": "spam", "by": "me"}])
async def test_incomplete_report_is_refused(site: Site, make: Make, body: dict[str, str]) -> None:
    owner = await make.account()
    file = await published(site, owner)
    answer = await site.client.post(f"/api/v1/public-pictures/{owner.id}/{file['id']}/reports", json=body)
    assert answer.status_code == 422


async def test_removal_wins_against_publishing_and_portraits_of_the_same_moment(
    site: Site, make: Make, operator: Account
) -> None:
    owner = await make.account()
    file = await published(site, owner)
    async with site.api(owner) as api, site.api(operator) as operator_api:
        for is_portrait in (False, True):
            await api.patch(f"/files/{file['id']}", json={"is_public": False})
            path = f"/operator/public-pictures/{owner.id}/{file['id']}/takedown"
            await operator_api.delete(path)
            await operator_api.post(path.replace("takedown", "dismissal"))
            await _report_privately(site, owner, file["id"])
            async with site.services.db.tx() as tx:  # the owner's change has passed the check, and has not committed yet
                if is_portrait:
                    change = "insert into media.portraits (account_id, face, file_id) values (%s, 'avatar', %s)"
                else:
                    change = "update media.files set is_public = true where account_id = %s and id = %s"
                await tx.connection.execute(change, (owner.id, file["id"]))
                removal = asyncio.create_task(operator_api.post(path, json={"reason": "It shows a person."}))
                await asyncio.wait([removal], timeout=0.5)
                assert not removal.done(), "the removal waits for the change"
            assert (await removal).status_code == 201
            async with site.services.db.read() as tx:
                rows = await tx.connection.execute(
                    "select f.is_public, exists (select from media.portraits p where p.file_id = f.id)"
                    " from media.files f where f.id = %s",
                    (file["id"],),
                )
                assert await rows.fetchone() == (False, False)


async def _report_privately(site: Site, owner: Account, file_id: str) -> None:
    """Give a private picture an open report, so that operators see it."""
    async with site.services.db.tx() as tx:
        await tx.connection.execute(
            "insert into media.reports (account_id, id, file_id, reason, reporters)"
            " values (%s, gen_random_uuid(), %s, 'other', array['somebody'])",
            (owner.id, file_id),
        )
