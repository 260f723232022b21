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

    `log_format` is `json`, `text` or `auto`: text on a terminal, JSON elsewhere. In text a request is one line: "GET /studio 200
    12 ms". Warnings of libraries use the same format.
    """
    terminal = sys.stderr.isatty() and log_format != "json"
    text = log_format == "text" or terminal

    def origin(_: Any, __: str, event: EventDict) -> EventDict:
        return {**event, "process": process, "pid": os.getpid()}

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if terminal else "iso", utc=not terminal),
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
        processors=[*shared, *([_request_line] if text else []), *last, _bytes],
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


def _request_line(_: Any, __: str, event: EventDict) -> EventDict:
    """Write a request as one short line. Its id follows after an error alone, to find the other lines of the request."""
    if event.get("event") != "request":
        return event
    method, path, status, ms = (event.pop(key, "") for key in ("method", "path", "status", "ms"))
    event.pop("logger", None)
    if isinstance(status, int) and status < 400:
        event.pop("request_id", None)
    event["event"] = f"{method:<6} {path} {status} {ms:.0f} ms" if isinstance(ms, float) else f"{method} {path} {status}"
    return event


def _json(event: EventDict, **_: Any) -> str:
    return _encode(event).decode()


def _bytes(_: Any, __: str, line: Any) -> bytes:
    return str(line).encode(errors="replace")
