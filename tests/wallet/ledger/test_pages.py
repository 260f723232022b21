"""The wallet's page and its spreadsheet, as a person without scripts uses them."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from psycopg.types.json import Jsonb

from tests.factories import Account, Make
from tests.server import Site
from vetrina.core.database.ids import new_id
from vetrina.core.services import Services
from vetrina.core.settings.environment import read
from vetrina.modules import of
from vetrina.wallet.ledger import actions, pages
from vetrina.wallet.ledger import labels as entry_labels
from vetrina.wallet.model import Asset, Entry


async def generation(services: Services, account: Account, *, style: str, status: str | None = None) -> str:
    """A generation with its hold, as the studio's function makes it; ended with `status`."""
    name = new_id()
    async with services.db.tx() as tx:
        hold = await actions.hold(tx, account.id, Asset.TOKEN, 2, key=f"generation:{name}")
        await tx.connection.execute(
            "insert into studio.generations (account_id, id, style_name, engine, parameters, seed, cost, hold_id)"
            " values (%s, %s, %s, 'builtin', %s, 1, 2, %s)",
            (account.id, name, style, Jsonb({}), hold),
        )
        if status:
            await actions.release(tx, account.id, hold, reason=f"generation {status}")
    return str(name)


def lines(page: str) -> list[list[str]]:
    """The table's cells as plain text."""
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)[1:]
    return [
        [" ".join(unescape(re.sub(r"<[^>]+>", "", cell)).split()) for cell in re.findall(r"<td.*?>(.*?)</td>", row, re.DOTALL)]
        for row in rows
    ]


async def test_ledger_page_describes_entries(site: Site, make: Make) -> None:
    account = await make.account()
    payment = new_id()
    async with site.services.db.tx() as tx:
        await actions.grant(
            tx, account.id, Asset.TOKEN, 200, source="purchase", key=f"payment:{payment}", note="Studio, 200 tokens"
        )
        soon = datetime.now(UTC) + timedelta(days=3, hours=1)
        await actions.grant(tx, account.id, Asset.TOKEN, 5, source="gift", key="g", note="From a friend", expires_at=soon)
    generation_id = await generation(site.services, account, style="watercolour")
    failed = await generation(site.services, account, style="oil", status="failed")
    async with site.browser(account) as browser:
        page = (await browser.get("/wallet")).text
        reported = [(what, amount, left) for what, _, amount, left in lines(page)]
        assert reported == [
            ("Refunded: Oil painting (it failed)", "+2 tokens", "223"),
            ("Picture: Oil painting", "−2 tokens", "221"),
            ("Picture: Watercolour", "−2 tokens", "223"),
            ("Gift: From a friend", "+5 tokens", "225"),
            ("Bought 200 tokens", "+200 tokens", "220"),
            ("Welcome gift", "+20 tokens", "20"),
            ("Free plan", "+5 uploads", "5"),
            ("Free plan", "+2 conversions", "2"),
        ]
        for href in (f"/studio/generations/{generation_id}", f"/studio/generations/{failed}", f"/payments/{payment}"):
            assert f'href="{href}"' in page
        assert (await browser.get(f"/studio/generations/{generation_id}")).status_code == 200
        assert "2 more reserved" in page and "3 expire in 3 days" in page  # two of the gift's five are spent first
        spent = (await browser.get("/wallet?asset=token&kind=hold")).text
        assert [row[0] for row in lines(spent)] == ["Picture: Oil painting", "Picture: Watercolour"]
        assert 'value="hold" selected' in spent and 'href="/wallet/entries.csv?asset=token&amp;kind=hold"' in spent
        none = (await browser.get("/wallet?asset=posting")).text
        assert "No results" in none and 'href="/wallet"' in none
        odd = await browser.get("/wallet?asset=%22%3E%3Cscript%3E&kind=x")
        assert odd.status_code == 200 and "<script>" not in odd.text and len(lines(odd.text)) == 8


async def test_spend_from_two_grants_is_one_line(site: Site, make: Make) -> None:
    account = await make.account(tokens=3)
    async with site.services.db.tx() as tx:
        await actions.grant(tx, account.id, Asset.TOKEN, 9, source="gift", key="more")
        hold = await actions.hold(tx, account.id, Asset.TOKEN, 5, key="work")
        await actions.release(tx, account.id, hold, reason="stopped")
    async with site.browser(account) as browser, site.api(account) as api:
        page = lines((await browser.get("/wallet?asset=token")).text)
        assert [(row[2], row[3]) for row in page[:2]] == [("+5 tokens", "12"), ("−5 tokens", "7")]
        assert len((await api.get("/wallet/entries?asset=token&kind=hold")).json()["items"]) == 2


async def test_older_entries_are_a_link_away(site: Site, make: Make) -> None:
    account = await make.account(tokens=200)
    async with site.services.db.tx() as tx:
        for n in range(120):
            await actions.hold(tx, account.id, Asset.TOKEN, 1, key=f"work:{n}")
    async with site.browser(account) as browser:
        seen: list[str] = []
        href: str | None = "/wallet?kind=hold"
        while href:
            page = (await browser.get(href)).text
            seen += [row[3] for row in lines(page)]
            match = re.search(r'<p class="more"><a class="btn" href="([^"]+)"', page)
            href = unescape(match.group(1)) if match else None
            assert href is None or "kind=hold" in href
        assert seen == [str(n) for n in range(80, 200)]


async def test_the_spreadsheet_has_every_row_of_the_filter(site: Site, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "CHUNK", 50)
    account, stranger = await make.account(tokens=200), await make.account(tokens=7)
    async with site.services.db.tx() as tx:
        for n in range(100):
            await actions.hold(tx, account.id, Asset.TOKEN, 1, key=f"work:{n}")
    async with site.browser(account) as browser, site.browser(stranger) as other:
        answer = await browser.get("/wallet/entries.csv?asset=token")
        assert answer.headers["content-type"].startswith("text/csv; charset=utf-8")
        assert answer.headers["content-disposition"] == 'attachment; filename="wallet.csv"'
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert [int(row["balance_after"]) for row in rows] == [*range(100, 200), 200]
        assert [int(row["quantity"]) for row in rows] == [-1] * 100 + [200]
        assert datetime.fromisoformat(rows[0]["time"]).tzinfo and rows[0]["subject"] == "work:99"
        assert len(list(csv.reader(io.StringIO((await browser.get("/wallet/entries.csv?kind=grant")).text)))) == 1 + 3
        assert len((await browser.get("/wallet/entries.csv?asset=posting")).text.splitlines()) == 1
        assert "work:" not in (await other.get("/wallet/entries.csv")).text
    assert (await site.client.get("/wallet/entries.csv")).status_code == 303


async def test_no_cell_is_a_formula(site: Site, make: Make) -> None:
    account = await make.account(tokens=5)
    evil = ('=HYPERLINK("http://evil.example")', "+1+1", "-2", "@SUM(A1)", "\t=1", 'quote " and, comma\nnew line')
    async with site.services.db.tx() as tx:
        for text in evil:
            await actions.grant(tx, account.id, Asset.TOKEN, 1, source="purchase", key=text, note=text)
            await tx.connection.execute("update wallet.grants set expires_at = now() where key = %s", (text,))
        await actions.expire_due(tx)
    async with site.browser(account) as browser:
        text = (await browser.get("/wallet/entries.csv")).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 3 + 2 * len(evil)
    for row in rows:
        assert not row["what"].startswith(("=", "+", "@", "\t")) and not row["subject"].startswith(("=", "+", "-", "@", "\t"))
    assert {row["subject"] for row in rows} >= {f"'{item}" for item in evil[:5]} | {evil[5]}
    assert {row["quantity"] for row in rows} >= {"-1", "1"}  # numbers stay numbers


async def test_new_account_sees_first_steps(site: Site, make: Make) -> None:
    account = await make.account(tokens=0, kind="vendor")
    async with site.browser(account) as browser:
        page = (await browser.get("/wallet?asset=token")).text
        assert "No results" in page
        assert "Uploads" in (await browser.get("/wallet")).text


def test_every_entry_has_words() -> None:
    def entry(**more: object) -> Entry:
        plain = {"id": new_id(), "position": 1, "asset": "token", "kind": "grant", "quantity": 1, "balance_after": 1}
        rest = {"note": None, "source": "free", "hold_id": None, "subject": "x", "style": None, "reason": None}
        return Entry(**{**plain, **rest, "created_at": datetime.now(UTC), **more})  # type: ignore[arg-type]

    subjects = of(read({})).ledger_subjects
    for more, message in (
        ({"source": "purchase"}, "Bought 1 token"),
        ({"source": "purchase", "asset": "contact", "quantity": 3}, "Bought 3 contacts"),
        ({"source": "refund", "note": "Order 7"}, "Refund: Order 7"),
        ({"source": "plan", "note": "Basic"}, "Basic plan"),
        ({"source": "gift"}, "Gift"),
        ({"kind": "expiry", "quantity": -3, "source": "plan", "note": "Free"}, "Expired: Free plan"),
        (
            {"kind": "revocation", "quantity": -9, "source": "purchase", "note": "Studio, 200 tokens"},
            "Revoked: Studio, 200 tokens",
        ),
        ({"kind": "hold", "quantity": -1, "subject": "reveal:1", "asset": "contact"}, "Contacts used"),
        ({"kind": "release", "style": "Oil", "reason": "generation cancelled"}, "Refunded: Oil (cancelled)"),
    ):
        assert entry_labels.title(entry(**more), subjects) == message
    assert entry_labels.href(entry(subject="generation:1"), subjects) == "/studio/generations/1"
    assert entry_labels.href(entry(subject="welcome"), subjects) is None
