"""Server-sent events: responses that no cache stores and no proxy holds back."""

from __future__ import annotations

from collections.abc import AsyncIterator

from litestar.response import ServerSentEvent
from litestar.response.sse import ServerSentEventMessage

EVENT_STREAM = "text/event-stream"


def event_stream(messages: AsyncIterator[ServerSentEventMessage]) -> ServerSentEvent:
    """Return a response that streams these messages."""
    stream = ServerSentEvent(messages)
    stream.headers["Cache-Control"] = "no-store"
    stream.headers["X-Accel-Buffering"] = "no"
    return stream


def listening() -> ServerSentEventMessage:
    """Return a comment, which readers ignore; one who has gone is noticed when it is written.

    Without `data=None` it would carry an empty line of data, which readers take for an event.
    """
    return ServerSentEventMessage(comment="listening", data=None)
