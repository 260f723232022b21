"""The receipt as PDF: A4, in English or right-to-left in Persian."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vetrina.payments.model import Receipt
from vetrina.payments.receipts import fonts
from vetrina.wallet import labels
from vetrina.web import formatting as words
from vetrina.web import i18n
from vetrina.web.i18n import LANGUAGES, N_, Language, say

__all__ = ["LANGUAGES", "Language", "draw"]

INK, SOFT, LINE = (28, 27, 25), (98, 94, 88), (214, 209, 201)
MARGIN = 20.0
"""Millimetres."""
CURRENCIES = {"IRR": N_("rials"), "USD": N_("US dollars"), "EUR": N_("euros"), "GBP": N_("pounds")}
"""Names of currencies where amounts are written without signs."""


def draw(receipt: Receipt, language: Language = "en") -> bytes:
    """Return the PDF. It takes some tenths of a second of the processor: call it in a thread."""
    with i18n.use(language):
        return _draw(receipt)


def _draw(receipt: Receipt) -> bytes:
    from fpdf import FPDF  # large, and needed by no other page

    pdf: Any = FPDF(format="A4")
    pdf.set_margin(MARGIN)
    pdf.add_page()
    pdf.set_creation_date(receipt.paid_at)
    pdf.set_title(f"{say('Receipt')} {receipt.number}")
    pdf.set_lang(i18n.current())
    sheet = _Sheet(pdf, i18n.direction(i18n.current()) == "rtl")
    sheet.text(receipt.seller_name, 11, bold=True)
    for line in receipt.seller_lines:
        sheet.text(line, 9, colour=SOFT)
    if receipt.tax_number:
        sheet.text(say("tax number {number}", number=receipt.tax_number), 9, colour=SOFT)
    sheet.skip(14)
    sheet.text(say("Receipt"), 22, bold=True)
    sheet.skip(4)
    sheet.fact(say("Number"), receipt.number)
    sheet.fact(say("Paid on"), words.day(receipt.paid_at.date()))
    if receipt.buyer:
        sheet.fact(say("Buyer"), receipt.buyer)
    sheet.fact(say("Paid through"), " · ".join(item for item in (receipt.gateway, receipt.card_mask) if item))
    if receipt.reference:
        sheet.fact(say("Reference"), receipt.reference)
    sheet.skip(8)
    sheet.sum(say("For"), say("Sum"), size=9, colour=SOFT)
    sheet.rule()
    sheet.sum(_purchase(receipt), _money(receipt.amount, receipt.currency), size=12)
    for moment, amount in receipt.refunds:
        sheet.sum(say("Paid back on {day}", day=words.day(moment.date())), _money(-amount, receipt.currency), colour=SOFT)
    if receipt.disputed:
        sheet.sum(say("Withdrawn by the bank"), _money(-receipt.disputed, receipt.currency), colour=SOFT)
    if receipt.remains != receipt.amount:
        sheet.rule()
        sheet.sum(say("Remains"), _money(receipt.remains, receipt.currency), size=12, bold=True)
    sheet.print()
    return bytes(pdf.output())


def _money(minor: int, currency: str) -> str:
    """Return an amount; in Persian without sign and symbol: the words beside it say which way it goes."""
    text = words.money(minor, currency)
    if i18n.current() == "en":
        return text
    bare = "".join(char for char in text if char.isdigit() or char in "٫٬")
    return f"{bare} {say(CURRENCIES[currency]) if currency in CURRENCIES else currency}"


def _purchase(receipt: Receipt) -> str:
    """Return what was bought. Titles of packs are as their maker wrote them; amounts are in the language."""
    if i18n.current() == "en" or receipt.asset not in labels.ASSETS or receipt.quantity is None:
        return receipt.description
    return labels.amount(receipt.asset, receipt.quantity)


class _Sheet:
    """Lines on a page, from the side where its language begins. They are drawn by `print`, once their fonts are known."""

    def __init__(self, pdf: Any, right_to_left: bool) -> None:
        self._pdf = pdf
        self._start, self._end = ("R", "L") if right_to_left else ("L", "R")
        self._turned = right_to_left
        self._texts: list[str] = []
        self._steps: list[Callable[[], None]] = []

    def print(self) -> None:
        """Draw what was put on the sheet. Raises nothing for letters that no font has."""
        names = fonts.needed(self._texts)
        for name in names:
            for style, file in fonts.faces(name):
                self._pdf.add_font(name, style, file)
        self._pdf.set_fallback_fonts(names, exact_match=True)
        for step in self._steps:
            step()

    def text(self, text: str, size: float, *, bold: bool = False, colour: tuple[int, int, int] = INK) -> None:
        """Put a line across the page, several if it is long."""
        printable = self._shown(text)

        def step() -> None:
            self._pen(size, bold, colour, printable)
            self._pdf.multi_cell(0, size * 0.55, printable, align=self._start, new_x="LMARGIN", new_y="NEXT")

        self._steps.append(step)

    def fact(self, name: str, value: str) -> None:
        """Put a name and its value."""
        title, printable = self._shown(name), self._shown(value)

        def step() -> None:
            pdf, size, width = self._pdf, 10.0, 38.0
            top, rest = pdf.get_y(), pdf.epw - width
            self._pen(size, False, SOFT, title)
            pdf.set_x(pdf.l_margin + (rest if self._turned else 0))
            pdf.cell(width, size * 0.6, title, align=self._start)
            self._pen(size, False, INK, printable)
            pdf.set_xy(pdf.l_margin + (0 if self._turned else width), top)
            pdf.multi_cell(rest, size * 0.6, printable, align=self._start, new_x="LMARGIN", new_y="NEXT")

        self._steps.append(step)

    def sum(self, what: str, amount: str, *, size: float = 10, colour: tuple[int, int, int] = INK, bold: bool = False) -> None:
        """Put what an amount is for, and the amount at the other side."""
        title, printable = self._shown(what), self._shown(amount)

        def step() -> None:
            pdf = self._pdf
            width = pdf.epw
            if pdf.get_y() + size * 1.1 + 3 > pdf.page_break_trigger:
                pdf.add_page()
            self._pen(size, bold, colour, title)
            pdf.set_y(pdf.get_y() + 1.5)
            top = pdf.get_y()
            pdf.set_x(pdf.l_margin + (width * 0.3 if self._turned else 0))
            pdf.multi_cell(width * 0.7, size * 0.55, title, align=self._start, new_x="LMARGIN", new_y="NEXT")
            below = pdf.get_y()
            self._pen(size, bold, colour, printable)
            pdf.set_xy(pdf.l_margin + (0 if self._turned else width * 0.7), top)
            pdf.cell(width * 0.3, size * 0.55, printable, align=self._end, new_x="LMARGIN", new_y="NEXT")
            pdf.set_y(max(below, pdf.get_y()) + 1.5)

        self._steps.append(step)

    def skip(self, height: float) -> None:
        """Put an empty space, in millimetres."""
        self._steps.append(lambda: self._pdf.ln(height))

    def rule(self) -> None:
        """Put a line."""

        def step() -> None:
            pdf = self._pdf
            pdf.set_draw_color(*LINE)
            pdf.line(pdf.l_margin, pdf.get_y(), pdf.l_margin + pdf.epw, pdf.get_y())

        self._steps.append(step)

    def _shown(self, text: str) -> str:
        printable = fonts.printable(text)
        self._texts.append(printable)
        return printable

    def _pen(self, size: float, bold: bool, colour: tuple[int, int, int], text: str) -> None:
        """Take a pen for one paragraph, whose direction is its own and not the page's."""
        self._pdf.set_font(fonts.LATIN, "B" if bold else "", size)
        self._pdf.set_text_color(*colour)
        turned = fonts.is_right_to_left(text, self._turned)
        self._pdf.set_text_shaping(use_shaping_engine=True, direction="rtl" if turned else "ltr")
