"""Mail and SMS delivery: a real SMTP server, an HTTP provider, and the development outbox."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.fakes.twilio import SID, TOKEN, TwilioFake
from tests.server import Site, serving
from vetrina import worker as worker_process
from vetrina.core.database import paging
from vetrina.core.encryption import Broken, seal, unseal
from vetrina.core.messages import outbox
from vetrina.core.messages.outbox import Letter, deliver, post
from vetrina.core.messages.sms import SmsFailed, provider
from vetrina.core.services import Services, connect
from vetrina.core.settings.environment import BadSetting, Settings

MAIL = Letter("mail", "reader@example.com", "The code is 123456.", "Your code", "<p dir='rtl'>کد شما ۱۲۳۴۵۶</p>")


class _Box:
    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.refusals = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refusals:
            self.refusals -= 1
            return "451 later, please"
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 taken"


@contextmanager
def smtp(**options: Any) -> Iterator[tuple[_Box, int]]:
    """A real SMTP server on loopback."""
    box = _Box()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield box, port
    finally:
        controller.stop()


def using(services: Services, **changes: Any) -> Services:
    """Yield the same services with other settings."""
    return replace(services, settings=replace(services.settings, **changes))


async def test_mail_is_sent_with_text_and_html(services: Services) -> None:
    with smtp() as (box, port):
        changed = using(services, smtp_url=f"smtp://127.0.0.1:{port}", mail_from="Vetrina <shop@example.com>")
        await deliver(changed, letter=seal(services.keys, MAIL))
    (message,) = box.messages
    assert (message["From"], message["To"], message["Subject"]) == ("Vetrina <shop@example.com>", MAIL.to, MAIL.subject)
    assert message["Auto-Submitted"] == "auto-generated" and message["Message-ID"].endswith("@example.com>")
    assert message.get_body(("plain",)).get_content().strip() == MAIL.text  # type: ignore[union-attr]
    assert message.get_body(("html",)).get_content().strip() == MAIL.html  # type: ignore[union-attr]


async def test_temporary_provider_error_is_retried(services: Services) -> None:
    with smtp() as (box, port):
        box.refusals = 1
        changed = using(services, smtp_url=f"smtp://127.0.0.1:{port}")
        with pytest.raises(Exception, match="later, please"):
            await deliver(changed, letter=seal(services.keys, MAIL))
        await deliver(changed, letter=seal(services.keys, MAIL))
    assert len(box.messages) == 1


async def test_a_password_is_not_sent_in_the_clear(services: Services) -> None:
    seen: list[Any] = []

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
        seen.append(data)
        return AuthResult(success=True)

    with smtp(authenticator=check, auth_require_tls=False) as (box, port):
        changed = using(services, smtp_url=f"smtp://me:secret@127.0.0.1:{port}")
        with pytest.raises(Exception, match="STARTTLS"):
            await deliver(changed, letter=seal(services.keys, MAIL))
    assert seen == [] and box.messages == []


async def test_header_injection_is_refused(services: Services) -> None:
    with smtp() as (box, port):
        changed = using(services, smtp_url=f"smtp://127.0.0.1:{port}")
        for to in ("a@example.com\r\nBcc: all@example.com", "a@example.com, b@example.com"):
            with pytest.raises(ValueError):  # noqa: PT011
                await deliver(changed, letter=seal(services.keys, Letter("mail", to, "x", "y")))
    assert box.messages == []


async def test_invalid_address_is_a_bad_setting(services: Services) -> None:
    with pytest.raises(BadSetting, match="VETRINA_SMTP_URL"):
        await deliver(using(services, smtp_url="mail.example.com"), letter=seal(services.keys, MAIL))


def texting(services: Services, fake: TwilioFake, token: str = TOKEN) -> Services:
    """Return services that send SMS to the fake."""
    return using(services, twilio_account_sid=SID, twilio_auth_token=token, twilio_api_base=fake.url, sms_from="+15005550006")


async def test_sms_is_sent(services: Services) -> None:
    with TwilioFake() as fake:
        await deliver(texting(services, fake), letter=seal(services.keys, Letter("sms", "+989121234567", "کد: 123456")))
        assert fake.received == [{"To": "+989121234567", "From": "+15005550006", "Body": "کد: 123456"}]


async def test_temporary_errors_are_retried_and_final_ones_are_not(services: Services) -> None:
    letter = seal(services.keys, Letter("sms", "+15005550001", "x"))
    with TwilioFake() as fake:
        for status in (429, 503):
            fake.answers = [status]
            with pytest.raises(SmsFailed):
                await deliver(texting(services, fake), letter=letter)
        await deliver(texting(services, fake, token="wrong"), letter=letter)
        await deliver(texting(services, fake), letter=seal(services.keys, Letter("sms", "not a number", "x")))
        assert fake.received == []
        there = provider(texting(services, fake).settings)
    assert there is not None
    with pytest.raises(SmsFailed) as away:
        await there.send(to="+15005550001", text="x")
    assert not away.value.final


async def test_queued_messages_are_encrypted(services: Services, worker: Services) -> None:
    async with services.db.tx() as tx:
        await post(tx, services, MAIL)
        rows = await (await tx.connection.execute("select args::text from procrastinate_jobs")).fetchall()
    assert len(rows) == 1 and "123456" not in rows[0][0] and "reader" not in rows[0][0]


def test_encryption_round_trips() -> None:
    old, new = b"old" * 20, b"new" * 20
    assert unseal([new, old], seal([old], {"code": "1"}), dict) == {"code": "1"}
    for text in (seal([b"other" * 9], 1), "", "a.b.c.d.e", seal([old], 1)[:-3] + "AAA"):
        with pytest.raises(Broken):
            unseal([new, old], text, int)


async def test_development_site_keeps_messages_in_the_outbox(settings: Settings, database: str) -> None:
    async with serving(connect(replace(settings, development=True), database)) as site:
        async with site.services.db.tx() as tx:
            for number in range(3):
                await post(tx, site.services, replace_text(MAIL, f"number {number}"))
            await post(tx, site.services, Letter("sms", "+15005550001", "a text"))
            rows = await (await tx.connection.execute("select args->>'letter' from procrastinate_jobs order by id")).fetchall()
        for (letter,) in rows:
            await deliver(site.services, letter=letter)
        page = (await site.client.get("/api/v1/outbox?limit=2")).json()
        assert [item["text"] for item in page["items"]] == ["a text", "number 2"]
        assert set(page["items"][0]) >= {"to", "subject", "text", "at"}
        rest = (await site.client.get("/api/v1/outbox", params={"cursor": page["next_cursor"]})).json()
        assert [item["text"] for item in rest["items"]] == ["number 1", "number 0"]
        result = (await site.client.get("/api/v1/outbox", params={"to": "+15005550001"})).json()
        assert [item["channel"] for item in result["items"]] == ["sms"]
        html = await site.client.get("/outbox")
        assert html.status_code == 200 and "number 2" in html.text and "a text" in html.text


def replace_text(letter: Letter, text: str) -> Letter:
    """Return the message with another text."""
    return Letter(letter.channel, letter.to, text, letter.subject, letter.html)


async def test_production_site_has_no_outbox(site: Site) -> None:
    for path in ("/api/v1/outbox", "/outbox"):
        assert (await site.client.get(path)).status_code == 404


async def test_the_queue_delivers(settings: Settings, database: str) -> None:
    services = connect(replace(settings, development=True), database)
    await services.open()
    stop = asyncio.Event()
    task = asyncio.create_task(worker_process.work(services, stop))
    async with services.db.tx() as tx:
        await post(tx, services, MAIL)
    for _ in range(100):
        async with services.db.read() as tx:
            rows = await tx.fetch_all(outbox.LIST, before=paging.FIRST, to=None, limit=9)
        if rows:
            break
        await asyncio.sleep(0.05)
    stop.set()
    await task
    assert [row.to for row in rows] == [MAIL.to]


async def test_messages_are_listed_in_the_order_in_which_they_were_written(services: Services) -> None:
    """Whichever is delivered first, and once if one is delivered again."""
    changed = using(services, development=True)
    for subject in ("first", "second", "third"):
        async with services.db.tx() as tx:
            await post(tx, services, titled(subject))
    async with services.db.read() as tx:
        queued = await (
            await tx.connection.execute("select args from procrastinate_jobs where task_name = 'core.deliver' order by id")
        ).fetchall()
    for (arguments,) in [*reversed(queued), queued[0]]:
        await deliver(changed, **arguments)
    async with services.db.read() as tx:
        rows = await tx.fetch_all(outbox.LIST, before=paging.FIRST, to=MAIL.to, limit=10)
    assert [row.subject for row in rows] == ["third", "second", "first"]


def titled(subject: str) -> Letter:
    """Return the usual mail with another subject."""
    return Letter("mail", MAIL.to, MAIL.text, subject)
