"""The public page of prices: figures by pack and plan, the visitor's currency and language."""

from __future__ import annotations

import html
import json
import re

import httpx2
import pytest

from tests.factories import Make
from tests.server import Site
from vetrina.core.database.connection import Database
from vetrina.wallet import currency


def plain(text: str) -> str:
    """Return a page's text without tags, spaces folded."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<script.*?</script>", " ", text, flags=re.S))).split())


async def get(site: Site, address: str = "/prices", **headers: str) -> httpx2.Response:
    """Request the page as a visitor."""
    async with httpx2.AsyncClient(base_url=site.url, headers=headers) as browser:
        answer = await browser.get(address)
    assert answer.status_code == 200
    return answer


async def test_what_a_picture_costs_by_pack_and_plan(site: Site) -> None:
    """50 tokens for 4.99: a picture of one token is 9.98 cents; 20 conversions for 4.99: 24.95 cents."""
    text = plain((await get(site)).text)
    for sentence in (
        "Sketchbook $4.99 A picture costs about $0.10", "Studio $14.99 A picture costs about $0.08",
        "Atelier $59.99 A picture costs about $0.06", "Free Nothing to pay A picture costs nothing",
        "Basic $4.99 a month A picture costs about $0.25", "Advanced $14.99 a month A picture costs about $0.15",
        "Includes 20 conversions, 50 uploads", "Pictures 20 a month, any style", "Pictures up to 50",
        "Expires never", "Expires at the end of each month", "Vendor Pro 500 uploads $9.99",
        "Made on this server", "20 tokens to begin with are free.", "for 7 more days",
    ):  # fmt: skip
        assert sentence in text, sentence


async def test_prices_in_rials(site: Site) -> None:
    text = plain((await get(site, "/prices?currency=IRR")).text)
    for sentence in (
        "Sketchbook 50,000 IRR A picture costs 1,000 IRR", "Basic 50,000 IRR a month A picture costs 2,500 IRR",
        "Advanced 150,000 IRR a month A picture costs 1,500 IRR", "Vendor Pro 500 uploads 100,000 IRR",
    ):  # fmt: skip
        assert sentence in text, sentence
    assert "$" not in text


async def test_several_engines_make_a_range(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from vetrina.studio.styles.catalogue import Catalogue, OfferedEngine

    engines = site.services.get(Catalogue).engines
    own = engines["builtin"]
    monkeypatch.setitem(engines, "dear", OfferedEngine(own.engine, "Painted by an AI model", own.styles, 8, own.gate))
    text = plain((await get(site, "/prices?currency=IRR")).text)
    assert "Sketchbook 50,000 IRR A picture costs 1,000 IRR to 8,000 IRR" in text
    assert re.search(r"Painted by an AI model \d+ 8 tokens", text)


@pytest.mark.parametrize(
    ("accept", "cookie", "requested", "expected"),
    [("", "", "", "USD"), ("fa", "", "", "IRR"), ("fa-IR,en;q=0.5", "", "", "IRR"), ("en-GB,fa;q=0.8", "", "", "IRR"),
     ("en-US,fa;q=0.8", "", "", "USD"), ("fa", "USD", "", "USD"), ("fa", "XYZ", "", "IRR"), ("fa", "USD", "IRR", "IRR"),
     ("", "", "EUR", "USD"), ("*;q=x,;;,fa-", "", "", "IRR")],
)  # fmt: skip
async def test_the_visitors_currency(site: Site, accept: str, cookie: str, requested: str, expected: str) -> None:
    headers = {"Accept-Language": accept, "Cookie": f"currency={cookie}"}
    answer = await get(site, f"/prices?currency={requested}&language=en", **headers)
    assert re.findall(r"aria-current=true>([A-Z]{3})<", answer.text) == [expected]
    assert "accept-language" in answer.headers["vary"].lower() and "cookie" in answer.headers["vary"].lower()


async def test_the_choice_is_remembered_also_by_the_shop(site: Site, make: Make) -> None:
    account = await make.account()
    async with site.browser(account) as browser:
        assert "$4.99" in (await browser.get("/wallet/buy")).text
        chosen = await browser.get("/prices?currency=IRR")
        assert "currency=IRR" in chosen.headers["set-cookie"] and "HttpOnly" in chosen.headers["set-cookie"]
        assert "50,000 IRR" in (await browser.get("/prices")).text
        shop = (await browser.get("/wallet/buy")).text
        assert "50,000 IRR" in shop and "$4.99" not in shop and 'href="/prices"' in shop
        assert "set-cookie" not in (await browser.get("/prices?currency=EUR")).headers


async def test_persian(site: Site) -> None:
    page = (await get(site, **{"Accept-Language": "fa-IR"})).text
    assert '<html lang="fa" dir="rtl"' in page
    text = plain(page)
    for sentence in ("قیمت‌ها", "هزینهٔ هر تصویر", "هرگز", "۲۰ تبدیل"):
        assert sentence in text, sentence
    main = plain(page.split("<main")[1].split("</main>")[0])
    assert not re.findall(r"\b(?:A picture|costs|month|Expires|Includes|Uploads|token|What|Choose|Free|Basic)\b", main)
    assert '<html lang="en" dir="ltr"' in (await get(site, "/prices?language=en", **{"Accept-Language": "fa"})).text


async def test_structured_data_has_every_offer(site: Site) -> None:
    page = (await get(site)).text
    (block,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.S)
    graph = json.loads(block)["@graph"]
    prices = {item["name"]: (item["offers"]["price"], item["offers"]["priceCurrency"]) for item in graph}
    assert prices["Vetrina Sketchbook"] == ("4.99", "USD") and prices["Vetrina Advanced"] == ("14.99", "USD")
    assert prices["Vetrina Free"] == ("0.00", "USD")
    assert all(item["offers"]["url"].endswith("/prices") for item in graph)
    assert '<meta name="description"' in page and 'property="og:title" content="Prices"' in page


async def test_no_pack_without_a_use(site: Site, db: Database) -> None:
    """No module of the site spends contacts or postings."""
    text = (await get(site)).text
    assert "Address book" not in text and "A posting" not in text
    async with db.tx() as tx:
        await tx.connection.execute("insert into wallet.packs (name, title, asset, quantity, price, currency, position) values "
                                    "('c5', 'Five <more>', 'conversion', 5, 200, 'USD', 40)")  # fmt: skip
    assert "Five &lt;more&gt;" in (await get(site)).text


async def test_nothing_for_sale(site: Site, db: Database) -> None:
    async with db.tx() as tx:
        await tx.connection.execute("update wallet.packs set is_active = false")
        await tx.connection.execute("update wallet.plans set is_active = false")
    assert "Nothing is for sale" in (await get(site)).text


async def test_landing_page_links_to_prices(site: Site) -> None:
    landing = (await get(site, "/")).text
    assert landing.count('href="/prices"') == 2, "beside the first button and in the footer"


def test_currencies_of_countries() -> None:
    assert currency.of_countries("de-AT, en-GB;q=0.9, fa;q=0.1") == ["EUR", "GBP", "IRR"]
    assert currency.of_countries("zh-Hant-TW") == ["TWD"]
    assert currency.of_countries(None) == []
    assert currency.of_countries("xx, 123, *, en-150") == ["USD"]
