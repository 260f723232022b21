"""A query parameter that no route of the API declares is refused, where it would otherwise be ignored."""

from __future__ import annotations

import pytest

from tests.factories import Make
from tests.server import Site
from vetrina.accounts.roles import actions as roles


@pytest.mark.parametrize(
    ("path", "unknown"),
    [
        ("/files?tags=cup", "tags"),
        ("/files?metadata.season=autumn&limit=5", "metadata.season"),
        ("/generations?state=failed", "state"),
        ("/usage?actions=signed_in", "actions"),
        ("/payments?page=2", "page"),
        ("/me?verbose=1", "verbose"),
    ],
)
async def test_undeclared_parameters_are_refused(site: Site, make: Make, path: str, unknown: str) -> None:
    async with site.api(await make.account()) as api:
        answer = await api.get(path)
    assert answer.status_code == 400
    problem = answer.json()
    assert problem["type"].endswith("unknown-parameter") and problem["parameters"] == [unknown]


async def test_declared_parameters_and_metadata_filters_are_taken(site: Site, make: Make) -> None:
    account = await make.account()
    async with make.services.db.tx() as tx:
        await roles.grant(tx, account.id, roles.Role.ADMIN)
    async with site.api(account) as api:
        for path in ("/files?tag=cup&limit=5", "/usage?action=signed_in", "/members?metadata.season=autumn",
                     "/members?subscription.metadata.type=Plus&q=a", "/members/subscriptions?metadata.source=web"):  # fmt: skip
            assert (await api.get(path)).status_code == 200, path
        assert (await api.get("/members/subscriptions?meta.source=web")).status_code == 400
