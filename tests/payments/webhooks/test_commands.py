"""`vetrina webhooks`: what Stripe told, from a shell, and applying it again."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.factories import Make
from tests.fakes.stripe import StripeFake
from tests.payments.stripe_helpers import bought, drain
from tests.server import Site
from vetrina.cli import main
from vetrina.core.command_line import exit_codes as exits
from vetrina.core.database.connection import Database


async def test_events_are_listed_and_applied_again(
    shop_site: Site,
    stripe: StripeFake,
    make: Make,
    db: Database,
    owner: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await bought(shop_site, stripe, await make.account(tokens=0))
    async with db.tx() as tx:
        await tx.connection.execute("update payments.webhook_events set outcome = 'dead', error = 'planted' where type like 'c%'")
    monkeypatch.setenv("VETRINA_DATABASE_URL", owner)
    monkeypatch.setenv("VETRINA_DATA", str(tmp_path))
    monkeypatch.setattr("vetrina.core.command_line.logs.configure", lambda *_: None)

    async def say(*command: str) -> tuple[int, str]:
        capsys.readouterr()
        code = await asyncio.to_thread(main, ["webhooks", *command])
        return code, capsys.readouterr().out

    code, out = await say("list", "--outcome", "dead", "--json")
    dead = json.loads(out)
    assert code == exits.OK and {item["type"] for item in dead} == {"checkout.session.completed", "charge.succeeded"}
    assert all(item["error"] == "planted" for item in dead)
    code, out = await say("list", "--type", "charge.")
    assert code == exits.OK and out.count("\n") == 1 and "planted" in out
    code, out = await say("replay", dead[0]["id"], "evt_unknown")
    assert (code, out.splitlines()) == (exits.OK, ["evt_unknown never came in.", "One event is being applied again."])
    assert (await say("replay", "--dead", "--type", "charge."))[0] == exits.OK
    assert (await say("replay"))[0] == exits.FAILED
    assert set(await drain(shop_site.services)) == {"applied"}
