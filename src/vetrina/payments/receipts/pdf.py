"""The receipt as PDF: A4, in English or right-to-left in Persian."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Literal

from vetrina.payments.model import Receipt
from vetrina.web import STATIC
from vetrina.web import formatting as words

Language = Literal["en", "fa"]

FONTS = {
    "latin": "figtree-latin-wght-normal.woff2",
    "latin-ext": "figtree-latin-ext-wght-normal.woff2",
    "arabic": "vazirmatn-arabic-wght-normal.woff2",
}
"""The fonts of the pages. Characters that none of them has are printed as boxes."""
INK, SOFT, LINE = (28, 27, 25), (98, 94, 88), (214, 209, 201)
MARGIN = 20.0
"""Millimetres."""

_SAYS: dict[Language, dict[str, str]] = {
    "en": {},
    "fa": {
        "Receipt": "رسید پرداخت",
        "Number": "شماره",
        "Paid on": "تاریخ پرداخت",
        "Seller": "فروشنده",
        "Buyer": "خریدار",
        "For": "بابت",
        "Sum": "مبلغ",
        "Paid through": "روش پرداخت",
        "Reference": "شماره پیگیری",
        "Paid back on {day}": "بازپرداخت در {day}",
        "Withdrawn by the bank": "برداشت‌شده توسط بانک",
        "Remains": "باقی‌مانده",
        "{n} tokens": "{n} توکن",
        "{n} conversions": "{n} تبدیل",
        "{n} uploads": "{n} بارگذاری",
        "{n} contacts": "{n} تماس",
        "{n} postings": "{n} آگهی",
        "tax number {number}": "شماره مالیاتی {number}",
    },
}
LANGUAGES: tuple[Language, ...] = ("en", "fa")
_ARABIC = re.compile("[\u0600-\u06ff]")
_DIGITS = str.maketrans("0123456789,", "۰۱۲۳۴۵۶۷۸۹٬")
_UNITS = {"IRR": "ریال", "USD": "دلار آمریکا", "EUR": "یورو", "GBP": "پوند"}
_ASSETS = {"token": "tokens", "conversion": "conversions", "image_slot": "uploads", "contact": "contacts", "posting": "postings"}


def draw(receipt: Receipt, language: Language = "en") -> bytes:
    """Return the PDF. Takes some tenths of a second of processor time: call it in a thread."""
    from fpdf import FPDF  # large, and needed by no other page

    say = _Say(language)
    pdf: Any = FPDF(format="A4")
    pdf.set_margin(MARGIN)
    pdf.add_page()
    pdf.set_creation_date(receipt.paid_at)
    pdf.set_title(f"{say('Receipt')} {receipt.number}")
    pdf.set_lang(language)
    for name, file in FONTS.items():
        for style, weight in (("", 400), ("B", 650)):
            pdf.add_font(name, style, STATIC / "vendor" / "fonts" / file, variations={"wght": weight})
    pdf.set_fallback_fonts([name for name in FONTS], exact_match=True)
    sheet = _Sheet(pdf, say)
    sheet.text(receipt.seller_name, 11, bold=True)
    for line in receipt.seller_lines:
        sheet.text(line, 9, colour=SOFT)
    if receipt.tax_number:
        sheet.text(say("tax number {number}", number=receipt.tax_number), 9, colour=SOFT)
    pdf.ln(14)
    sheet.text(say("Receipt"), 22, bold=True)
    pdf.ln(4)
    sheet.fact(say("Number"), receipt.number)
    sheet.fact(say("Paid on"), say.day(receipt.paid_at))
    if receipt.buyer:
        sheet.fact(say("Buyer"), receipt.buyer)
    sheet.fact(say("Paid through"), " · ".join(each for each in (receipt.gateway, receipt.card_mask) if each))
    if receipt.reference:
        sheet.fact(say("Reference"), receipt.reference)
    pdf.ln(8)
    sheet.sum(say("For"), say("Sum"), size=9, colour=SOFT)
    sheet.rule()
    sheet.sum(say.goods(receipt), say.money(receipt.amount, receipt.currency), size=12)
    for at, amount in receipt.refunds:
        sheet.sum(say("Paid back on {day}", day=say.day(at)), say.money(-amount, receipt.currency), colour=SOFT)
    if receipt.disputed:
        sheet.sum(say("Withdrawn by the bank"), say.money(-receipt.disputed, receipt.currency), colour=SOFT)
    if receipt.remains != receipt.amount:
        sheet.rule()
        sheet.sum(say("Remains"), say.money(receipt.remains, receipt.currency), size=12, bold=True)
    return bytes(pdf.output())


class _Say:
    """Texts, numbers, amounts and dates in a language."""

    def __init__(self, language: Language) -> None:
        self._words = _SAYS[language]
        self.turned = language == "fa"

    def __call__(self, text: str, **values: str) -> str:
        return self._words.get(text, text).format(**values)

    def figures(self, text: str) -> str:
        return text.translate(_DIGITS) if self.turned else text

    def day(self, at: datetime) -> str:
        if not self.turned:
            return words.day(at)
        import jdatetime  # pyright: ignore[reportMissingTypeStubs]

        calendar: Any = jdatetime
        on = calendar.date.fromgregorian(date=at.astimezone(UTC).date())
        return self.figures(f"{on.year}/{on.month:02}/{on.day:02}")

    def money(self, minor: int, currency: str) -> str:
        text = words.money(minor, currency)
        if not self.turned:
            return text
        bare = "".join(each for each in text if each.isdigit() or each in ".,")
        return f"{self.figures(bare)} {_UNITS.get(currency, currency)}"  # the text beside it gives the direction

    def goods(self, receipt: Receipt) -> str:
        """Return what was bought. Titles of packs are as the operator wrote them; amounts are in the language."""
        if not self.turned or receipt.asset not in _ASSETS or receipt.quantity is None:
            return receipt.description
        return self("{n} " + _ASSETS[receipt.asset], n=self.figures(words.number(receipt.quantity)))


class _Sheet:
    """Lines on a page, aligned to the side where the language begins."""

    def __init__(self, pdf: Any, say: _Say) -> None:
        self._pdf = pdf
        self._start, self._end = ("R", "L") if say.turned else ("L", "R")
        self._turned = say.turned
        self._first = "arabic" if say.turned else "latin"

    def text(self, text: str, size: float, *, bold: bool = False, colour: tuple[int, int, int] = INK) -> None:
        """Add a line across the page, wrapped if it is long."""
        self._pen(size, bold, colour, text)
        self._pdf.multi_cell(0, size * 0.55, text, align=self._start, new_x="LMARGIN", new_y="NEXT")

    def fact(self, name: str, value: str) -> None:
        """Add a name and its value."""
        pdf, size, wide = self._pdf, 10.0, 38.0
        at, rest = pdf.get_y(), pdf.epw - wide
        self._pen(size, False, SOFT, name)
        pdf.set_x(pdf.l_margin + (rest if self._turned else 0))
        pdf.cell(wide, size * 0.6, name, align=self._start)
        self._pen(size, False, INK, value)
        pdf.set_xy(pdf.l_margin + (0 if self._turned else wide), at)
        pdf.multi_cell(rest, size * 0.6, value, align=self._start, new_x="LMARGIN", new_y="NEXT")

    def sum(self, what: str, amount: str, *, size: float = 10, colour: tuple[int, int, int] = INK, bold: bool = False) -> None:
        """Add a label, and its amount on the other side."""
        pdf = self._pdf
        wide = pdf.epw
        if pdf.get_y() + size * 1.1 + 3 > pdf.page_break_trigger:
            pdf.add_page()
        self._pen(size, bold, colour, what)
        pdf.set_y(pdf.get_y() + 1.5)
        at = pdf.get_y()
        pdf.set_x(pdf.l_margin + (wide * 0.3 if self._turned else 0))
        pdf.multi_cell(wide * 0.7, size * 0.55, what, align=self._start, new_x="LMARGIN", new_y="NEXT")
        below = pdf.get_y()
        self._pen(size, bold, colour, amount)
        pdf.set_xy(pdf.l_margin + (0 if self._turned else wide * 0.7), at)
        pdf.cell(wide * 0.3, size * 0.55, amount, align=self._end, new_x="LMARGIN", new_y="NEXT")
        pdf.set_y(max(below, pdf.get_y()) + 1.5)

    def rule(self) -> None:
        """Add a rule."""
        pdf = self._pdf
        pdf.set_draw_color(*LINE)
        pdf.line(pdf.l_margin, pdf.get_y(), pdf.l_margin + pdf.epw, pdf.get_y())

    def _pen(self, size: float, bold: bool, colour: tuple[int, int, int], text: str) -> None:
        """Set font and direction for `text`: a line without Arabic letters is set left to right."""
        self._pdf.set_font(self._first, "B" if bold else "", size)
        self._pdf.set_text_color(*colour)
        turned = self._turned and _ARABIC.search(text) is not None
        self._pdf.set_text_shaping(use_shaping_engine=True, direction="rtl" if turned else "ltr")
