"""Taking everything along, and being forgotten: the whole dump and the whole storage are searched."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from typing import Any
from uuid import UUID

import httpx2
import psycopg
import pytest

from tests.accounts.personal_data_fixture import CANARIES, PASSWORD, bytes_of, dump, found_in, full_life
from tests.factories import Make
from tests.server import Site
from vetrina.accounts.privacy import erasures, exports
from vetrina.accounts.privacy.erasures import PHRASE
from vetrina.accounts.privacy.jobs import delete_export
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles.actions import Role
from vetrina.core import audit
from vetrina.core import personal_data as privacy
from vetrina.core.audit import SYSTEM
from vetrina.core.module import Modules
from vetrina.core.services import Services
from vetrina.core.settings.environment import Settings


async def rest(services: Services, *tasks: str) -> None:
    """Wait until no job of these is waiting or running."""
    async with asyncio.timeout(40):
        while True:
            async with services.db.read() as tx:
                query = "select count(*) from procrastinate_jobs where status in ('todo', 'doing') and task_name = any(%s)"
                if (await (await tx.connection.execute(query, (list(tasks),))).fetchone() or (1,))[0] == 0:
                    return
            await asyncio.sleep(0.1)


async def test_erased_account_leaves_no_personal_data(
    site: Site, worker: Services, make: Make, owner: str, settings: Settings
) -> None:
    account, headers = await full_life(site, owner)
    stranger = await make.account(email="stays@example.com")
    await rest(worker, "studio.generate", "core.deliver", "accounts.send_code")
    async with worker.db.tx() as tx:
        export = await exports.request_export(tx, worker, account)
    await rest(worker, "accounts.export")
    before = dump(owner)
    assert found_in(before) == set(CANARIES), "the canaries are not all there: this test would see nothing"
    assert len(bytes_of(settings, account)) >= 4, "pictures, thumbnails and the export"
    async with httpx2.AsyncClient(base_url=site.url + "/api/v1", headers=headers, timeout=30) as api:
        body = {"confirmation": PHRASE, "password": PASSWORD}
        assert (await api.post("/erasure", json={**body, "confirmation": "yes"})).status_code == 422
        assert (await api.post("/erasure", json={**body, "password": "wrong"})).status_code == 403
        assert (await api.get("/me")).status_code == 200
        assert (await api.post("/erasure", json=body)).status_code == 202
        assert (await api.get("/me")).status_code == 401
        login = {"email": CANARIES["email"], "password": PASSWORD}
        assert (await site.client.post("/api/v1/auth/session", json=login)).status_code == 401
    await rest(worker, "accounts.erase", "media.erase")

    after = dump(owner)
    assert found_in(after) == set()
    assert bytes_of(settings, account) == []
    assert "stays@example.com" in after and str(stranger.id) in after
    # The ledger and the log are there, under the bare id, and they hold.
    assert f"'{account}'" in after
    await make.books()
    async with worker.db.read() as tx:
        assert await audit.faults(tx) == []
        rows = await tx.fetch_all(audit.LIST, account=account, before=UUID(int=2**128 - 1), action=None, limit=100)
        assert {"account_registered", "payment_completed", "erasure_asked", "account_erased"} <= {item.action for item in rows}
        assert all(item.ip is None and item.said is None for item in rows)
        row = await (
            await tx.connection.execute(
                "select (select count(*) from wallet.entries where account_id = %(a)s), erased_at is not null, is_active,"
                " (select finished_at is not null from accounts.erasures where account_id = %(a)s)"
                " from accounts.accounts where id = %(a)s",
                {"a": account},
            )
        ).fetchone()
        assert row is not None and row[0] > 0 and row[1:] == (True, False, True)
    # The address is free again, and what comes under it is somebody else.
    again = await site.client.post(
        "/api/v1/auth/registration", json={"email": CANARIES["email"], "password": PASSWORD, "name": "New"}
    )
    assert again.status_code == 201 and again.json()["account"]["id"] != str(account)
    bearer = {"Authorization": f"Bearer {again.json()['access_token']}"}
    assert (await site.client.get("/api/v1/files", headers=bearer)).json()["items"] == []
    assert export


async def test_killed_erasure_resumes(site: Site, services: Services, owner: str, settings: Settings) -> None:
    account, _ = await full_life(site, owner)
    async with services.db.tx() as tx:
        await erasures.begin(tx, account, SYSTEM)
    steps = len(privacy.declarations(services.modules))
    for step in range(steps):
        killed = _killed_at(services, step)
        with pytest.raises(KeyboardInterrupt), pytest.MonkeyPatch.context() as patch:
            patch.setattr(privacy, "erasure_order", killed)
            await erasures.erase(services, account)
    await erasures.erase(services, account)
    await erasures.erase(services, account)
    assert found_in(dump(owner)) - {"key"} == set()
    assert bytes_of(settings, account) == []
    async with services.db.read() as tx:
        assert await audit.faults(tx) == []


def _killed_at(services: Services, step: int) -> Any:
    whole = privacy.erasure_order(services.modules)

    def erasure_order(_: Modules) -> list[privacy.PersonalData]:
        # The part at `step` is begun and not ended.
        broken = privacy.TableRule("nothing", None, _Dying(), "dies")  # type: ignore[arg-type]
        cut = privacy.PersonalData(whole[step].module, [*whole[step].tables[: len(whole[step].tables) // 2], broken])
        return [*whole[:step], cut, *whole[step + 1 :]]

    return erasure_order


class _Dying:
    """A statement that kills whoever runs it."""

    @property
    def sql(self) -> str:
        raise KeyboardInterrupt

    def factory(self) -> Any:
        raise KeyboardInterrupt


async def test_abandoned_tasks_are_resumed(site: Site, services: Services, owner: str) -> None:
    account, _ = await full_life(site, owner)
    async with services.db.tx() as tx:
        await erasures.begin(tx, account, SYSTEM)
        await tx.connection.execute("delete from procrastinate_jobs")
    async with services.db.tx() as tx:
        assert await erasures.resume(tx) == 0
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("update accounts.erasures set created_at = now() - interval '11 minutes'")
    async with services.db.tx() as tx:
        assert await erasures.resume(tx) == 1
        rows = await (await tx.connection.execute("select task_name from procrastinate_jobs")).fetchall()
        assert rows == [("accounts.erase",)]


async def test_the_copy_holds_everything_and_no_secret(site: Site, worker: Services, make: Make, owner: str) -> None:
    account, headers = await full_life(site, owner)
    stranger = await make.account(email="stranger@example.com")
    async with httpx2.AsyncClient(base_url=site.url + "/api/v1", headers=headers, timeout=30) as api:
        response = await api.post("/exports")
        assert response.status_code == 202 and response.json()["url"] is None
        path = f"/exports/{response.json()['id']}"
        async with asyncio.timeout(30):
            while (body := (await api.get(path)).json())["status"] == "pending":
                assert (await api.post("/exports")).status_code in {409, 202}
                await asyncio.sleep(0.1)
        assert body["status"] == "ready" and body["bytes"] > 1000
    async with site.api(stranger) as other:
        assert (await other.get(path)).status_code == 404
    url = body["url"]
    answer = await site.client.get(url)
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/zip"
    assert int(answer.headers["content-length"]) == body["bytes"] == len(answer.content)
    for wrong in (url.partition("?")[0], url[:-3] + "AAA", url.replace(str(account), str(stranger.id))):
        assert (await site.client.get(wrong)).status_code == 403, wrong
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        data = {name: json.loads(archive.read(name)) for name in names if name.endswith(".json")}
        pictures = [name for name in names if name.startswith("pictures/")]
        assert pictures and archive.read(pictures[0])[:3] == b"\xff\xd8\xff"
    text = json.dumps(data, ensure_ascii=False)
    assert set(CANARIES) - found_in(text) <= {"key", "letter"}
    assert "$argon2" not in text and "stranger@example.com" not in text and str(stranger.id) not in text
    exported = {table.table for part in privacy.declarations(worker.modules) for table in part.tables if table.export}
    assert {name.removeprefix("data/").removesuffix(".json") for name in data} == exported
    assert data["data/accounts.accounts.json"][0]["email"] == CANARIES["email"]
    assert len(data["data/wallet.entries.json"]) >= 2 and data["data/reports.searches.json"] == []
    # It was fetched: the account's history tells so.
    async with worker.db.read() as tx:
        logs = await tx.fetch_all(audit.LIST, account=account, before=UUID(int=2**128 - 1), action="export_fetched", limit=5)
        assert len(logs) == 1


async def test_a_copy_expires(site: Site, services: Services, make: Make, owner: str, settings: Settings) -> None:
    account = await make.account()
    async with services.db.tx() as tx:
        export = await exports.request_export(tx, services, account.id)
    await exports.make(services, account.id, export)
    async with site.api(account) as api:
        url = (await api.get(f"/exports/{export}")).json()["url"]
        assert len(bytes_of(settings, account.id)) == 1
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute("update accounts.exports set expires_at = now() - interval '1 second'")
        assert (await api.get(f"/exports/{export}")).status_code == 404
        assert (await api.get("/exports")).json()["items"] == []
        assert (await site.client.get(url)).status_code == 404
        await exports.delete_expired(services)
        await delete_export(services, key=f"exports/{account.id}/{export}.zip")
        assert bytes_of(settings, account.id) == []
        assert (await api.post("/exports")).status_code == 202


async def test_the_pages(site: Site, make: Make, owner: str) -> None:
    account, last = await make.account(), await make.account()
    async with site.services.db.tx() as tx:
        await roles.grant(tx, last.id, Role.SUPERUSER)
    async with site.browser(account) as browser:
        page = (await browser.get("/settings/privacy")).text
        assert "Make a copy" in page and 'name="password"' not in page  # it has none
        assert (await browser.post("/settings/privacy/exports")).status_code == 303
        page = (await browser.get("/settings/privacy")).text
        assert "In progress" in page and 'http-equiv="refresh"' in page
        again = await browser.post("/settings/privacy/exports")
        assert again.status_code == 409 and "An export is being prepared already" in again.text
        wrong = await browser.post("/settings/privacy/erasure", data={"confirmation": "erase"})
        assert wrong.status_code == 422 and 'value="erase"' in wrong.text and "exactly" in wrong.text
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute("update accounts.sessions set created_at = now() - interval '16 minutes'")
        old = await browser.post("/settings/privacy/erasure", data={"confirmation": PHRASE})
        assert old.status_code == 403 and "Sign out and in again" in old.text
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute("update accounts.sessions set created_at = now()")
        gone = await browser.post("/settings/privacy/erasure", data={"confirmation": " Erase my account "})
        assert gone.status_code == 303 and gone.headers["location"] == "/"
        assert (await browser.get("/wallet")).status_code == 303
    async with site.browser(last) as browser:
        response = await browser.post("/settings/privacy/erasure", data={"confirmation": PHRASE})
        assert response.status_code == 409 and "last superuser" in response.text
