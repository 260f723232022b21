"""Structured logs on stderr: JSON lines for programs, coloured text for a terminal."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import msgspec
import structlog
from structlog.typing import EventDict, Processor

_encode = msgspec.json.Encoder(enc_hook=str, order="deterministic").encode


def configure(log_format: str, process: str) -> None:
    """Configure logging for this process, whose kind (`up`, `web`, `worker`) is in every line of JSON.

    `log_format` is `json`, `text` or `auto`: text on a terminal, without successful requests, JSON elsewhere. Warnings of
    libraries use the same format.
    """
    watched = log_format == "auto" and sys.stderr.isatty()
    text = log_format == "text" or watched

    def origin(_: Any, __: str, event: EventDict) -> EventDict:
        return {**event, "process": process, "pid": os.getpid()}

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if text:
        last: list[Processor] = [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), pad_event_to=40, exception_formatter=structlog.dev.plain_traceback
            )  # the default formatter shows local variables, and with them secrets
        ]
    else:
        last = [origin, structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_json)]
    structlog.configure(
        processors=[*([_notable] if watched else []), *shared, *last, _bytes],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.captureWarnings(True)


def _notable(_: Any, __: str, event: EventDict) -> EventDict:
    """Drop successful requests on a terminal, so that the address and errors stay visible."""
    if event.get("event") == "request" and event.get("status", 500) < 400:
        raise structlog.DropEvent
    return event


def _json(event: EventDict, **_: Any) -> str:
    return _encode(event).decode()


def _bytes(_: Any, __: str, line: Any) -> bytes:
    return str(line).encode(errors="replace")
