"""Pages of reports and members: content, forms, browser and axe-core checks."""

from __future__ import annotations

import csv
import io

import pytest
from playwright.async_api import expect

from tests.browser import browsing, judge, needs_chromium, sign_in
from tests.factories import Make
from tests.reports.helpers import at, event, made, operator
from tests.reports.test_figures import HISTORY
from tests.server import Site
from tests.stripe_mirror.helpers import ingest
from vetrina.core.database.connection import Database
from vetrina.reports.catalogue import REPORTS
from vetrina.stripe_mirror.consistency import sample_data as sample
from vetrina.web import charts
from vetrina.web.charts import Series


async def business(db: Database) -> None:
    """Add the history of test_figures, whose figures are known, and its customers."""
    customers = [made(sample.customer(n, at("2026-01-01")), "2026-01-01") for n in range(1, 6)]
    failing = sample.invoice(1, at("2026-02-01"), status="open", amount=1900)
    await ingest(db, [*HISTORY, *customers, event("invoice.payment_failed", failing, "2026-02-01"),
                    event("invoice.paid", sample.invoice(2, at("2026-02-02")), "2026-02-02")])  # fmt: skip


async def test_page_csv_and_json_have_the_same_figures(site: Site, make: Make) -> None:
    await business(site.services.db)
    async with site.browser(await operator(make)) as browser:
        page = await browser.get("/reports/mrr?as_of=2026-04-30&months=6")
        sheet = await browser.get("/reports/mrr/figures.csv?as_of=2026-04-30&months=6")
        data = (await browser.get("/api/v1/reports/mrr?as_of=2026-04-30&months=6")).json()
        none = await browser.get("/reports/nonsense")
        wrong = await browser.get("/reports/mrr?as_of=2026-02-31")
    assert page.status_code == 200
    for text in ("€24.00", "−€15.00", "€9.00", "$50.00", "Apr 2026", "30 Apr 2026", 'role="img"'):
        assert text in page.text, text
    assert none.status_code == 404
    assert wrong.status_code == 422 and "Enter a date such as 2026-03-31" in wrong.text
    rows = list(csv.DictReader(io.StringIO(sheet.text)))
    assert [row["closing"] for row in rows if row["currency"] == "eur"] == ["0", "0", "3000", "4500", "3000", "2400"]
    assert [row["closing"] for row in data["rows"] if row["currency"] == "eur"] == [0, 0, 3000, 4500, 3000, 2400]
    assert data["as_of"] == "2026-04-30" and [column["name"] for column in data["columns"]][:3] == [
        "month",
        "currency",
        "opening",
    ]


async def test_every_report_has_a_page_with_and_without_data(site: Site, make: Make) -> None:
    async with site.browser(await operator(make)) as browser:
        paths = ["/reports", "/members", "/members?kind=subscriptions", *(f"/reports/{name}" for name in REPORTS)]
        empty = {path: (await browser.get(path)) for path in paths}
        await business(site.services.db)
        full = {path: (await browser.get(path + ("?" if "?" not in path else "&") + "as_of=2026-04-30")) for path in paths}
    assert {path: item.status_code for path, item in (empty | full).items() if item.status_code != 200} == {}
    assert "No data yet" in empty["/reports"].text and "No members yet" in empty["/members"].text
    assert all("No data for this period" in empty[f"/reports/{name}"].text for name in REPORTS)
    assert "No data for this period" not in full["/reports/retention"].text


async def test_pages_of_a_member_and_of_a_deleted_one(site: Site, make: Make) -> None:
    odd = {**sample.customer(7, at("2026-01-01")), "metadata": {"<b>key</b>": "a&b"}}
    await ingest(site.services.db, [made(odd, "2026-01-01"), event("customer.deleted", odd, "2026-01-02")])
    await business(site.services.db)
    async with site.browser(await operator(make)) as browser:
        one = await browser.get("/members/cus_sample0000000001")
        gone = await browser.get("/members/cus_sample0000000007")
        assert (await browser.get("/members/cus_nobody")).status_code == 404
    assert "Member 1" in one.text and "V-000001" in one.text and "Deleted in Stripe" not in one.text
    assert "Deleted in Stripe" in gone.text and "&lt;b&gt;key" in gone.text and "<b>key" not in gone.text


async def test_invalid_filter_is_reported(site: Site, make: Make) -> None:
    async with site.browser(await operator(make)) as browser:
        answer = await browser.get("/members?metadata.a=1&metadata.a=2")
    assert answer.status_code == 422 and "a has two values." in answer.text


@pytest.mark.parametrize(
    ("lowest", "highest", "result"),
    [(0, 858000, (0, 1000000, 200000)), (0, 0, (0, 1, 1)), (-45, 130, (-50, 150, 50)), (0, 4, (0, 4, 1)), (0, 5.1, (0, 6, 2)),
     (-1, 0, (-1, 0, 0.2)), (0, 10**15, (0, 10**15, 2 * 10**14))],
)  # fmt: skip
def test_scale_includes_its_values(lowest: float, highest: float, result: tuple[float, float, float]) -> None:
    bottom, top, step = charts.scale(lowest, highest)
    assert bottom <= lowest and top >= highest and top > bottom and round((top - bottom) / step) <= 6
    assert (bottom, top, step) == pytest.approx(result)


def test_column_geometry() -> None:
    series = [Series("Came", [30, 0], 1), Series("More", [10, 0], 2), Series("Went", [-20, -5], 4)]
    chart = charts.columns(["a", "b"], series, lambda value: f"{value:g}", label="")
    assert chart["ticks"] == ["40", "20", "0", "-20"]
    first, second = (column["rectangles"] for column in chart["columns"])
    # The scale spans 60: 30 is half of the height; the zero line is at two thirds.
    assert [(part["y"], part["height"]) for part in first] == [(16.667, 50), (0, 16.667), (66.667, 33.333)]
    assert [(part["colour"], part["height"]) for part in second] == [(4, 8.333)]
    assert chart["zero"] == pytest.approx(66.667)


@needs_chromium
async def test_search_save_and_past_reports_in_a_browser(site: Site, make: Make) -> None:
    account = await operator(make)
    await business(site.services.db)
    async with browsing(site.url, viewport={"width": 1280, "height": 900}) as context:
        await sign_in(context, site.url, account)
        page = await context.new_page()
        await page.goto("/members")
        await page.get_by_label("membership_type", exact=True).select_option("Family (1)")
        await page.locator(".btn-main", has_text="Search").click()
        await expect(page.get_by_role("heading", name="1 customer")).to_be_visible()
        await page.get_by_label("Save this search as").fill("Families")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Saved as Families.")).to_be_visible()
        await page.get_by_role("link", name="Remove filter membership_type: Family").click()
        await expect(page.get_by_role("heading", name="5 customers")).to_be_visible()
        await page.get_by_role("link", name="Families").click()
        await page.get_by_role("link", name="Member 1").click()
        await expect(page.get_by_role("heading", name="Latest invoices")).to_be_visible()

        await page.goto("/reports/mrr?as_of=2026-04-30")
        await expect(page.get_by_role("cell", name="€24.00")).to_be_visible()
        await page.get_by_label("As of the end of").fill("2026-03-05")
        await page.get_by_role("button", name="Show").click()
        await expect(page.get_by_text("As of the end of 5 Mar 2026")).to_be_visible()
        await expect(page.get_by_role("cell", name="€46.00")).to_be_visible()


@needs_chromium
@pytest.mark.parametrize("look", ["light", "dark narrow"])
async def test_pages_pass_axe(site: Site, make: Make, look: str) -> None:
    account = await operator(make)
    await business(site.services.db)
    width = 360 if "narrow" in look else 1280
    options = {"color_scheme": "dark" if "dark" in look else "light", "viewport": {"width": width, "height": 900}}
    result: dict[str, list[str]] = {}
    async with browsing(site.url, **options) as context:
        await sign_in(context, site.url, account)
        page = await context.new_page()
        paths = ["/reports", "/reports/mrr?as_of=2026-04-30", "/members?metadata.membership_type=Family&explain=1"]
        if look == "light":
            paths += ["/reports/connect", "/reports/retention?as_of=2026-04-30", "/members/cus_sample0000000001"]
        for path in paths:
            answer = await page.goto(path)
            assert answer is not None and answer.status == 200, path
            result[path] = await judge(page)
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{path} is {wide} px wide"
    assert {path: faults for path, faults in result.items() if faults} == {}
