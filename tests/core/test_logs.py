"""Logs: JSON lines on stderr, or text on a terminal."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

PROGRAM = """
import logging, sys, warnings
import structlog
from vetrina.core.command_line import logs

log = structlog.get_logger("vetrina.web")  # as modules do, before anything is set up
logs.configure(sys.argv[1], "web")
structlog.contextvars.bind_contextvars(request_id="r-1")
log.info("request", status=200, path="/ü")
log.debug("unheard")
log.warning("request", status=503)
logging.getLogger("psycopg.pool").warning("no connection to %s", "there")
logging.getLogger("somebody").info("unheard")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("it broke")
"""


def lines(log_format: str) -> list[dict[str, object]]:
    """Return the program's JSON log lines."""
    completed = subprocess.run([sys.executable, "-c", PROGRAM, log_format], capture_output=True, check=True)
    assert completed.stdout == b""
    return [json.loads(line) for line in completed.stderr.splitlines()]


def test_json_has_everything_on_one_line() -> None:
    request, refused, library, broken = lines("auto")
    assert request["event"] == "request" and request["status"] == 200 and request["path"] == "/ü"
    assert request["level"] == "info" and request["logger"] == "vetrina.web" and request["process"] == "web"
    assert request["request_id"] == "r-1" and request["pid"] and str(request["timestamp"]).endswith("Z")
    assert refused["level"] == "warning"
    assert library["event"] == "no connection to there" and library["logger"] == "psycopg.pool"
    assert library["process"] == "web" and library["request_id"] == "r-1"
    assert broken["event"] == "it broke" and "ZeroDivisionError" in str(broken["exception"])


def test_text_format_is_used_on_request() -> None:
    stderr = subprocess.run([sys.executable, "-c", PROGRAM, "text"], capture_output=True, text=True, check=True).stderr
    assert (
        "status=200" in stderr and "no connection to there" in stderr and "ZeroDivisionError" in stderr and "{" not in stderr[:40]
    )


def test_terminal_omits_successful_requests() -> None:
    ours, others = pty.openpty()
    subprocess.run([sys.executable, "-c", PROGRAM, "auto"], stdin=others, stdout=others, stderr=others, check=True)
    os.close(others)
    reported = b""
    try:
        while part := os.read(ours, 65536):
            reported += part
    except OSError:  # the reader has closed the pipe
        pass
    os.close(ours)
    assert b"503" in reported and b"it broke" in reported and b"200" not in reported
