"""Mail over SMTP."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import localtime, make_msgid, parseaddr
from urllib.parse import unquote, urlsplit

import aiosmtplib

from vetrina.core.settings.environment import BadSetting, Settings

SECONDS = 20.0


class Server:
    """A mail server: smtp://user:password@host:587 (STARTTLS if offered) or smtps://host:465."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise BadSetting("VETRINA_SMTP_URL must look like smtp://user:password@mail.example.com:587.")
        self.tls = parts.scheme == "smtps"
        self.host = parts.hostname
        self.port = parts.port or (465 if self.tls else 587)
        self.user = unquote(parts.username) if parts.username else None
        self.password = unquote(parts.password) if parts.password else None

    async def send(self, message: EmailMessage) -> None:
        """Send one message. Raises aiosmtplib.SMTPException or OSError; the caller retries."""
        # A password is never sent unencrypted; a relay on this machine without one may have no TLS.
        await aiosmtplib.send(
            message,
            hostname=self.host,
            port=self.port,
            username=self.user,
            password=self.password,
            use_tls=self.tls,
            start_tls=(True if self.password else None) if not self.tls else None,
            timeout=SECONDS,
        )


def compose(settings: Settings, *, to: str, subject: str, text: str, html: str | None, unsubscribe: str = "") -> EmailMessage:
    """Return a message with a text and, optionally, an HTML part. Raises ValueError for an invalid recipient.

    `unsubscribe` is the address at which one POST stops mails of this kind (RFC 8058).
    """
    local, _, domain = to.rpartition("@")
    if any(item in '@,;:<>()[]\\"' or item.isspace() for item in local):
        raise ValueError("this is not one plain address")
    message = EmailMessage()
    name, address = parseaddr(settings.mail_from)
    message["From"] = Address(name, addr_spec=address)
    message["To"] = Address(username=local, domain=domain)
    message["Subject"] = subject
    message["Date"] = localtime()
    message["Message-ID"] = make_msgid(domain=address.rpartition("@")[2] or None)
    message["Auto-Submitted"] = "auto-generated"
    if unsubscribe:
        message["List-Unsubscribe"] = f"<{unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message
