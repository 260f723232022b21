"""Receipts: numbered, whole, on a page and on paper, in both directions."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pypdfium2
import pytest

from tests.factories import Make
from tests.fakes.stripe import StripeFake
from tests.payments.helpers import pack, press, start
from tests.payments.stripe_helpers import bought, checkout, delivered
from tests.server import Site
from vetrina.core import site_settings as platform
from vetrina.core.database.connection import Database
from vetrina.payments.model import Receipt
from vetrina.payments.receipts import fonts
from vetrina.payments.receipts import pdf as receipt_pdf
from vetrina.web import formatting

RECEIPT = Receipt(
    number="R-2026-000123",
    paid_at=datetime(2026, 11, 21, 9, tzinfo=UTC),
    seller_name="Galleria Löwe",
    seller_lines=["Kouter 12", "9000 Ghent"],
    tax_number="BE 0123.456.789",
    buyer="سارا احمدی, sara@example.com",
    description="Studio, 200 tokens",
    asset="token",
    quantity=200,
    amount=1499,
    currency="USD",
    gateway="Card",
    card_mask="visa **** 4242",
    reference="pi_1",
    refunds=[(datetime(2026, 11, 22, tzinfo=UTC), 500)],
    disputed=0,
)


async def test_a_paid_payment_has_a_receipt(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    payment, intent = await bought(shop_site, stripe, account)
    other, _ = await bought(shop_site, stripe, account, "tokens_50")
    stripe.refund(intent, 500)
    await delivered(shop_site.services, stripe)
    async with db.tx() as tx:
        await platform.put(tx, "payments.seller_name", "Galleria")
        await platform.put(tx, "payments.seller_address", "Kouter 12; 9000 Ghent")
    async with shop_site.browser(account) as browser:
        page = (await browser.get(f"/payments/{payment['id']}/receipt")).text
        for message in ("R-2026-", "Galleria", "9000 Ghent", account.email, "Studio, 200 tokens", "visa **** 4242", intent,
                     "$14.99", "−$5.00", "$9.99"):  # fmt: skip
            assert message in page, message
        again = (await browser.get(f"/payments/{other['id']}/receipt")).text
        assert "Remains" not in again and "R-2026-" in again
        home = (await browser.get(f"/payments/{payment['id']}")).text
        assert f"/payments/{payment['id']}/receipt" in home and "Refunded" in home
        assert "Receipt" in (await browser.get("/payments")).text
        for lang in ("en", "fa"):
            pdf = await browser.get(f"/payments/{payment['id']}/receipt.pdf", params={"lang": lang})
            assert (pdf.status_code, pdf.headers["content-type"]) == (200, "application/pdf")
            assert pdf.content.startswith(b"%PDF-") and 5_000 < len(pdf.content) < 200_000
        assert (await browser.get(f"/payments/{payment['id']}/receipt.pdf?lang=xx")).status_code == 422


async def test_receipt_is_dated_in_the_sellers_zone(site: Site, make: Make) -> None:
    account = await make.account(tokens=0)
    async with site.api(account) as api, site.browser(account) as browser:
        payment = await start(api)
        await press(site.client, payment, "paid")
        paid_at = datetime.fromisoformat((await api.get(f"/payments/{payment['id']}")).json()["paid_at"])
        browser.cookies.set("time_zone", "America/New_York")
        days: set[str] = set()
        for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):  # a day apart, at any time
            async with site.services.db.tx() as tx:
                await platform.put(tx, "payments.seller_time_zone", zone)
            days.add(formatting.day(paid_at.astimezone(ZoneInfo(zone)).date()))
            assert (
                f"<dd>{formatting.day(paid_at.astimezone(ZoneInfo(zone)).date())}</dd>"
                in (await browser.get(f"/payments/{payment['id']}/receipt")).text
            )
            assert (await browser.get(f"/payments/{payment['id']}/receipt.pdf")).status_code == 200
        assert len(days) == 2


async def test_no_receipt_for_other_accounts_or_unpaid_payments(shop_site: Site, stripe: StripeFake, make: Make) -> None:
    account, stranger = await make.account(tokens=0), await make.account(tokens=0)
    payment, _ = await bought(shop_site, stripe, account)
    async with shop_site.browser(stranger) as browser:
        for path in ("receipt", "receipt.pdf"):
            assert (await browser.get(f"/payments/{payment['id']}/{path}")).status_code == 404
            assert (await shop_site.client.get(f"/payments/{payment['id']}/{path}")).status_code == 303
    async with shop_site.api(account) as api, shop_site.browser(account) as browser:
        unpaid = await checkout(api)
        assert (await browser.get(f"/payments/{unpaid['id']}/receipt")).status_code == 404


async def test_the_sandbox_gives_receipts_without_a_number_of_the_sellers(site: Site, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    async with site.api(account) as api, site.browser(account) as browser:
        assert await pack(api)
        payment = await start(api)
        await press(site.client, payment, "paid")
        page = (await browser.get(f"/payments/{payment['id']}/receipt")).text
        assert "Test checkout" in page and "TEST-" in page and "R-2" not in page
        assert (await browser.get(f"/payments/{payment['id']}/receipt.pdf")).headers["content-disposition"].count("TEST-") == 1
    async with db.read() as tx:
        used = await tx.connection.execute("select is_called from payments.receipt_numbers")
        assert await used.fetchone() == (False,)


@pytest.mark.parametrize("language", receipt_pdf.LANGUAGES)
def test_pdf_is_reproducible(language: receipt_pdf.Language) -> None:
    assert receipt_pdf.draw(RECEIPT, language) == receipt_pdf.draw(RECEIPT, language)


def test_a_long_receipt_goes_on_to_further_pages() -> None:
    refunds = [(datetime(2026, 11, 22, tzinfo=UTC), 1)] * 60
    long = msgspec.structs.replace(RECEIPT, refunds=refunds, seller_name="A long name " * 20)
    assert receipt_pdf.draw(long).count(b"/Type /Page\n") == 3  # 60 lines of 8.5 mm below the head


def printed(receipt: Receipt, language: receipt_pdf.Language = "en") -> tuple[str, dict[str, float]]:
    """Return the text of the page as a reader of PDF finds it, without spaces, and where each letter stands first."""
    page = pypdfium2.PdfDocument(receipt_pdf.draw(receipt, language))[0]
    text = page.get_textpage()
    letters = text.get_text_range()
    places: dict[str, float] = {}
    for index, letter in enumerate(letters):
        if not letter.isspace():
            places.setdefault(letter, text.get_charbox(index)[0])
    return "".join(letters.split()), places


@pytest.mark.parametrize("language", receipt_pdf.LANGUAGES)
@pytest.mark.parametrize(
    "name",
    ["Nguyễn Thị Hồng", unicodedata.normalize("NFD", "Nguyễn Thị Hồng"), "Лев Толстой", "Ὀδυσσεύς", "Ђорђе Ќосев", "Հայկ", "ნინო",
     "हिन्दी", "Øystein Łukasz", "Əliyev"],
)  # fmt: skip
def test_names_in_every_script_keep_their_letters(name: str, language: receipt_pdf.Language) -> None:
    text, _ = printed(msgspec.structs.replace(RECEIPT, buyer=name, seller_name=name), language)
    assert text.count("".join(unicodedata.normalize("NFC", name).split())) == 2


@pytest.mark.parametrize("language", receipt_pdf.LANGUAGES)
def test_letters_of_no_font_are_marked_and_never_left_out(language: receipt_pdf.Language) -> None:
    text, _ = printed(msgspec.structs.replace(RECEIPT, buyer="王小明 Wang 😀", seller_name="Shop\u202e\x07"), language)
    assert "\ufffd\ufffd\ufffdWang\ufffd" in text and "Shop" in text


@pytest.mark.parametrize("language", receipt_pdf.LANGUAGES)
def test_a_paragraph_has_its_own_direction(language: receipt_pdf.Language) -> None:
    """9.26: a Persian name with a figure and brackets in an English document, and a Latin one in a Persian document."""
    persian = msgspec.structs.replace(RECEIPT, seller_name="گالری (۷) شهر", seller_lines=[], buyer=None, tax_number=None)
    _, places = printed(persian, language)
    assert places["گ"] > places["۷"] > places["ه"], "read from the right"
    latin = msgspec.structs.replace(RECEIPT, seller_name="Zq (8) Kx", seller_lines=[], buyer=None, tax_number=None)
    _, places = printed(latin, language)
    assert places["Z"] < places["8"] < places["K"], "read from the left"


def test_direction_is_that_of_the_first_letter() -> None:
    assert fonts.is_right_to_left("12 (گالری) Nur", otherwise=False)
    assert not fonts.is_right_to_left("12 Nur گالری", otherwise=True)
    assert fonts.is_right_to_left("12 (34)", otherwise=True) and not fonts.is_right_to_left("12 (34)", otherwise=False)


def test_amounts_are_written_in_the_language() -> None:
    receipt = msgspec.structs.replace(RECEIPT, amount=12_500, currency="OMR", refunds=[], quantity=1204)
    assert "12.500OMR" in printed(receipt)[0]
    text, _ = printed(receipt, "fa")
    assert "۱۲٫۵۰۰" in text and "۱٬۲۰۴" in text and "توکن" in text
    assert "ریال" in printed(msgspec.structs.replace(receipt, currency="IRR"), "fa")[0]
