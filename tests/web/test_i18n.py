"""Catalogues, and formatting in English and Persian."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta

import pytest

from scripts import messages
from vetrina import web
from vetrina.accounts.notifications.messages import CODES, NOTICES, UNCONFIRMED
from vetrina.web import formatting, i18n

NOW = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)


def test_compiled_catalogues_match_po_files() -> None:
    for language in i18n.LANGUAGES:
        path = messages.folder(language) / "vetrina.mo"
        assert language == "en" or path.read_bytes() == messages.compiled(messages.read(language)), "run make messages"


def test_translations_fill_in_the_same_values() -> None:
    for message in messages.read("fa"):
        originals, strings = (item if isinstance(item, (tuple, list)) else (item,) for item in (message.id, message.string))
        for text in filter(None, strings):
            assert fields(text) == fields(originals[-1] or ""), message.id


def fields(text: str) -> set[str | None]:
    """Return the names between braces."""
    return {field for _, field, _, _ in string.Formatter().parse(text) if field}


def words_in(text: str) -> str:
    """Return the text without its names between braces."""
    return "".join(literal for literal, *_ in string.Formatter().parse(text)).strip()


def test_every_letter_is_in_persian() -> None:
    with i18n.use("fa"):
        for words in (*CODES.values(), *NOTICES.values(), UNCONFIRMED):
            translated = words.translated()
            texts = (translated.subject, *translated.lines, translated.sms, translated.link, *translated.after)
            originals = (words.subject, *words.lines, words.sms, words.link, *words.after)
            assert all(text != original for text, original in zip(texts, originals, strict=True) if words_in(original))
    assert CODES["sign_in"].translated() == CODES["sign_in"]


def test_templates_are_in_the_current_language() -> None:
    template = web.environment().from_string(
        '{{ _("Receipt") }} {{ _("tax number {number}", number=7) }} '
        '{{ _n("{n} token", "{n} tokens", 1204) }} {{ amount|money("USD") }}'
    )
    assert template.render(amount=499) == "Receipt tax number 7 1,204 tokens $4.99"
    with i18n.use("fa"):
        assert template.render(amount=499) == "رسید پرداخت شماره مالیاتی 7 ۱٬۲۰۴ توکن $۴٫۹۹"
        assert i18n.say("a message that no catalogue has") == "a message that no catalogue has"


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", ["1,204", "0.5", "21 Nov 2026", "21 Nov 2026, 14:05 UTC", "2 hours ago", "in 1 minute", "12.5 %", "Nov 2026"]),
        ("fa", ["۱٬۲۰۴", "۰٫۵", "۱۴۰۵/۰۸/۳۰", "۱۴۰۵/۰۸/۳۰، ۱۴:۰۵ UTC", "۲ ساعت پیش", "۱ دقیقه بعد", "۱۲٫۵ %", "نوامبر ۲۰۲۶"]),
    ],
)
def test_numbers_and_dates(language: i18n.Language, written: list[str]) -> None:
    with i18n.use(language):
        assert [
            i18n.number(1204),
            i18n.number(0.5),
            formatting.day(NOW),
            formatting.moment(NOW),
            formatting.ago(NOW - timedelta(hours=2), NOW),
            formatting.ago(NOW + timedelta(seconds=59), NOW),
            i18n.percent(0.125),
            i18n.month(NOW.date()),
        ] == written
    assert i18n.current() == "en"


@pytest.mark.parametrize(
    ("header", "language"),
    [(None, "en"), ("fa", "fa"), ("de, fa;q=0.8, en;q=0.5", "fa"), ("en, fa;q=0.9", "en"), ("fa-IR", "fa"), ("x;q=y", "en")],
)
def test_preferred_language(header: str | None, language: str) -> None:
    assert i18n.preferred(header) == language


def test_no_message_lacks_its_persian() -> None:
    missing = [message.id for message in messages.read("fa") if message.id and not (message.string and all(message.string))]
    assert missing == [], "translate them in src/vetrina/web/locale/fa/LC_MESSAGES/vetrina.po"
