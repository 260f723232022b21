"""Proven domains, by real queries to a name server on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from tests.factories import Account, Make, race
from tests.fakes.dns import DnsFake, free_port
from tests.server import Site, serving
from vetrina.accounts.domains import actions as domains
from vetrina.accounts.domains import jobs
from vetrina.accounts.domains.actions import LABEL, PREFIX, Resolver
from vetrina.accounts.domains.model import InvalidDomain, PublicSuffix
from vetrina.core.services import Services, connect
from vetrina.core.settings.environment import BadSetting, Settings, read

PATIENCE = 0.4


@pytest_asyncio.fixture
async def account(make: Make) -> Account:
    """Whose domains they are."""
    return await make.account()


@pytest_asyncio.fixture
async def impatient(services: Services, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Services]:
    """Services that give a silent name server up soon."""
    monkeypatch.setattr(domains, "LOOKUP_SECONDS", PATIENCE)
    services.get(Resolver)
    yield services


async def added(site: Site, account: Account, domain: str = "shop.example") -> dict[str, Any]:
    """A domain that was just added."""
    async with site.api(account) as api:
        answer = await api.post("/domains", json={"domain": domain})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def verify(site: Site, account: Account, domain: dict[str, Any]) -> dict[str, Any]:
    """Look it up now."""
    async with site.api(account) as api:
        answer = await api.post(f"/domains/{domain['id']}/verification")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_domain_is_proven_by_its_record(site: Site, account: Account, names: DnsFake) -> None:
    domain = await added(site, account, "https://shop.example/about?x=1")
    assert domain["domain"] == "shop.example" and domain["status"] == "pending"
    assert domain["record"] == {
        "type": "TXT", "name": f"{LABEL}.shop.example", "value": domain["record"]["value"],
    }  # fmt: skip
    assert domain["record"]["value"].startswith(PREFIX) and len(domain["record"]["value"]) > len(PREFIX) + 30

    assert (await verify(site, account, domain))["last_result"] == "missing"
    names.records[domain["record"]["name"]] = []  # the name is there, with no text
    assert (await verify(site, account, domain))["last_result"] == "missing"
    names.records[domain["record"]["name"]] = ["v=spf1 -all", domain["record"]["value"][:-1]]
    result = await verify(site, account, domain)
    assert (result["last_result"], result["status"], result["verified_at"]) == ("different", "pending", None)
    names.records[domain["record"]["name"]].append(domain["record"]["value"])
    result = await verify(site, account, domain)
    assert (result["last_result"], result["status"]) == ("found", "verified") and result["verified_at"]
    assert names.asked[domain["record"]["name"]] == 4

    async with site.api(account) as api:
        assert (await api.get("/domains")).json()["items"] == [result]
        assert (await api.get(f"/domains/{domain['id']}")).json() == result
        assert (await api.delete(f"/domains/{domain['id']}")).status_code == 204
        assert (await api.get("/domains")).json()["items"] == []
        assert (await api.delete(f"/domains/{domain['id']}")).status_code == 404


async def test_a_record_that_is_too_long_for_one_packet_is_read_whole(site: Site, account: Account, names: DnsFake) -> None:
    domain = await added(site, account)
    names.records[domain["record"]["name"]] = ["x" * 300 for _ in range(9)] + [domain["record"]["value"]]
    names.moods[""] = "truncating"
    assert (await verify(site, account, domain))["status"] == "verified"


async def test_anothers_code_proves_nothing(site: Site, make: Make, names: DnsFake) -> None:
    ada, eve = await make.account(), await make.account()
    hers, others = await added(site, ada), await added(site, eve)
    names.records[hers["record"]["name"]] = [hers["record"]["value"]]
    assert (await verify(site, eve, others))["status"] == "pending"
    assert (await verify(site, ada, hers))["status"] == "verified"
    async with site.api(eve) as api:
        for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/verification")):
            assert (await api.request(method, f"/domains/{hers['id']}{path}")).status_code == 404


async def test_invalid_domains_are_refused_beside_the_field(site: Site, account: Account) -> None:
    wrong = {
        "": "invalid-domain", "localhost": "invalid-domain", "192.0.2.7": "invalid-domain",
        "http://[2001:db8::1]/": "invalid-domain", "2001:db8::1": "invalid-domain", "shop..example": "invalid-domain",
        "a b.example": "invalid-domain", "1.2.3": "invalid-domain",
        "-shop.example": "invalid-domain", "x" * 64 + ".example": "invalid-domain", "http://[": "invalid-domain",
        "shop.example/x": "invalid-domain", "com": "invalid-domain", "co.uk": "public-suffix", "github.io": "public-suffix",
        "xn--55qx5d.cn": "public-suffix",
    }  # fmt: skip
    async with site.api(account) as api:
        for written, kind in wrong.items():
            answer = await api.post("/domains", json={"domain": written})
            assert (answer.status_code, answer.json()["type"]) == (422, f"urn:vetrina:{kind}"), written
            assert answer.json()["field"] == "domain"
        await added(site, account)
        again = await api.post("/domains", json={"domain": "SHOP.example."})
        assert (again.status_code, again.json()["type"]) == (409, "urn:vetrina:domain-listed")


def test_domains_in_every_script_have_one_form() -> None:
    for text in ("Bücher.Example", "xn--bcher-kva.example."):
        assert domains.normalize_domain(text) == "xn--bcher-kva.example"
    assert domains.normalize_domain("فروشگاه。example") == "xn--mgbtj4c7ad63e.example"
    assert domains.normalize_domain("sh\u200bop.example") == "shop.example"  # what nobody can see is no difference
    assert domains.display_domain("xn--bcher-kva.example") == "bücher.example"
    assert domains.normalize_domain("bbc.co.uk") == "bbc.co.uk" and domains.normalize_domain("me.github.io") == "me.github.io"
    with pytest.raises(PublicSuffix):
        domains.normalize_domain("公司.cn")
    for wrong in ("ﬀ。", "a\u202e.example", "１.２.３.４"):
        with pytest.raises(InvalidDomain):
            domains.normalize_domain(wrong)


async def test_twenty_is_all_and_races_do_not_change_that(site: Site, account: Account) -> None:
    for n in range(17):
        await added(site, account, f"shop{n}.example")
    numbers = iter(range(100))
    async with site.api(account) as api:
        answers = await race(10, lambda: api.post("/domains", json={"domain": f"late{next(numbers)}.example"}))
        assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 7  # type: ignore[union-attr]


async def due(services: Services, account: Account) -> None:
    """Make the account's domains due now."""
    async with services.db.tx() as tx:
        await tx.connection.execute(
            "update accounts.domain_verifications set recheck_at = now() - interval '1 second' where account_id = %s",
            [account.id],
        )


async def standing(site: Site, account: Account) -> tuple[str, str]:
    """(status, answer) of the account's one domain."""
    async with site.api(account) as api:
        row = (await api.get("/domains")).json()["items"][0]
    return row["status"], row["last_result"]


async def test_domain_is_rechecked_and_lost_without_its_record(
    site: Site, services: Services, account: Account, names: DnsFake
) -> None:
    domain = await added(site, account)
    name = domain["record"]["name"]
    await jobs.check_domains(services)
    assert names.asked[name] == 0  # not due yet
    names.records[name] = [domain["record"]["value"]]
    await due(services, account)
    await jobs.check_domains(services)
    assert await standing(site, account) == ("verified", "found")  # by itself
    await jobs.check_domains(services)
    assert names.asked[name] == 1  # not due before tomorrow
    del names.records[name]
    await due(services, account)
    await jobs.check_domains(services)
    assert await standing(site, account) == ("lost", "missing")
    names.records[name] = [domain["record"]["value"]]
    assert (await verify(site, account, domain))["status"] == "verified"


async def test_name_servers_that_fail_take_nothing_away_for_a_week(
    site: Site, impatient: Services, account: Account, names: DnsFake
) -> None:
    services = impatient
    domain = await added(site, account)
    names.records[domain["record"]["name"]] = [domain["record"]["value"]]
    await due(services, account)
    await jobs.check_domains(services)
    for mood in ("servfail", "refused", "silent"):
        names.moods[""] = mood
        await due(services, account)
        await jobs.check_domains(services)
        assert await standing(site, account) == ("verified", "unreachable"), mood
    async with services.db.tx() as tx:
        await tx.connection.execute(
            "update accounts.domain_verifications set unreachable_since = unreachable_since - interval '6 days 23 hours'"
        )
    await due(services, account)
    await jobs.check_domains(services)
    assert (await standing(site, account))[0] == "verified"
    async with services.db.tx() as tx:
        await tx.connection.execute("update accounts.domain_verifications set unreachable_since = now() - interval '7 days'")
    await due(services, account)
    await jobs.check_domains(services)
    assert await standing(site, account) == ("lost", "unreachable")


async def test_successful_lookup_restarts_the_grace_week(
    site: Site, impatient: Services, account: Account, names: DnsFake
) -> None:
    services = impatient
    domain = await added(site, account)
    names.records[domain["record"]["name"]] = [domain["record"]["value"]]
    for mood in ("answering", "servfail", "answering"):
        names.moods[""] = mood
        await due(services, account)
        await jobs.check_domains(services)
    async with services.db.read() as tx:
        row = await (await tx.connection.execute("select unreachable_since from accounts.domain_verifications")).fetchone()
    assert row == (None,)


async def test_two_workers_ask_once_and_a_late_answer_is_dropped(
    site: Site, services: Services, account: Account, names: DnsFake
) -> None:
    domain = await added(site, account)
    await due(services, account)
    counts = await asyncio.gather(domains.check_due(services), domains.check_due(services))
    assert sorted(counts) == [0, 1] and names.asked[domain["record"]["name"]] == 1
    await due(services, account)
    async with services.db.read() as tx:
        leased = await tx.fetch_all(domains.queries.DOMAINS_DUE, limit=5)
    names.records[domain["record"]["name"]] = [domain["record"]["value"]]
    assert (await verify(site, account, domain))["status"] == "verified"
    del names.records[domain["record"]["name"]]
    assert await domains.check(services, leased[0]) is None  # asked before, answered after
    assert await standing(site, account) == ("verified", "found")


async def test_looking_up_is_limited(site: Site, account: Account, services: Services) -> None:
    async with services.db.tx() as tx:
        await tx.connection.execute(
            """update core.settings set value = '{"count": 2, "seconds": 600}' where key = 'limits.domain_checks'"""
        )
    domain = await added(site, account)
    async with site.api(account) as api:
        answers = [await api.post(f"/domains/{domain['id']}/verification") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429] and int(answers[2].headers["retry-after"]) > 0


async def test_the_page(site: Site, account: Account, names: DnsFake) -> None:
    async with site.browser(account) as browser:
        assert "Verify that a domain is yours" in (await browser.get("/settings/domains")).text
        wrong = await browser.post("/settings/domains", data={"domain": "co.uk <b>"})
        assert wrong.status_code == 422 and 'value="co.uk &lt;b&gt;"' in wrong.text and 'id="domain-error"' in wrong.text
        assert (await browser.post("/settings/domains", data={"domain": "bücher.example"})).status_code == 303
        page = (await browser.get("/settings/domains")).text
        assert "bücher.example" in page and f"{LABEL}.xn--bcher-kva.example" in page and "Not verified yet" in page
        async with site.api(account) as api:
            domain = (await api.get("/domains")).json()["items"][0]
        assert domain["record"]["value"] in page
        await browser.post(f"/settings/domains/{domain['id']}/verification")
        assert "There is no such record at bücher.example yet" in (await browser.get("/settings/domains")).text
        names.records[domain["record"]["name"]] = [domain["record"]["value"]]
        await browser.post(f"/settings/domains/{domain['id']}/verification")
        page = (await browser.get("/settings/domains")).text
        assert "bücher.example is verified" in page and "Leave the record in place" in page
        await browser.post(f"/settings/domains/{domain['id']}/removal")
        assert "no longer in your list" in (await browser.get("/settings/domains")).text


async def test_a_name_server_that_is_not_there(settings: Settings, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domains, "LOOKUP_SECONDS", PATIENCE)
    services = connect(replace(settings, dns_servers=f"127.0.0.1:{free_port()}"), database)
    async with serving(services) as site:
        account = await Make(services).account()
        assert (await verify(site, account, await added(site, account)))["last_result"] == "unreachable"


def test_which_name_servers_can_be_set() -> None:
    for given, result in (
        ("127.0.0.1:5353, 192.0.2.1", ["127.0.0.1@5353", "192.0.2.1@53"]),
        ("[2001:db8::1]:54", ["2001:db8::1@54"]),
        ("2001:db8::1", ["2001:db8::1@53"]),
    ):
        created = domains.resolver(read({"VETRINA_DNS_SERVERS": given}))
        assert [f"{nameserver.address}@{nameserver.port}" for nameserver in created.nameservers] == result  # type: ignore[union-attr]
    with pytest.raises(BadSetting):
        domains.resolver(read({"VETRINA_DNS_SERVERS": "ns.example:53"}))
