"""Logs: JSON lines on stderr, or text on a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys

from tests.rules.code import ROOT

PROGRAM = """
import logging, sys, warnings
import structlog
from vetrina.core.command_line import logs

log = structlog.get_logger("vetrina.web")  # as modules do, before anything is set up
logs.configure(sys.argv[1], "web")
structlog.contextvars.bind_contextvars(request_id="r-1")
log.info("request", method="GET", status=200, path="/ü", ms=12.3)
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
    text = subprocess.run([sys.executable, "-c", PROGRAM, "text"], capture_output=True, text=True, check=True).stderr
    assert "/ü 200" in text and "no connection to there" in text and "ZeroDivisionError" in text and "{" not in text[:40]


def test_request_is_one_short_line_on_a_terminal() -> None:
    ours, others = pty.openpty()
    subprocess.run([sys.executable, "-c", PROGRAM, "auto"], stdin=others, stdout=others, stderr=others, check=True)
    os.close(others)
    output = b""
    try:
        while part := os.read(ours, 65536):
            output += part
    except OSError:  # the reader has closed the pipe
        pass
    os.close(ours)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", output.decode())
    lines_ = plain.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d \[info +\] GET    /ü 200 12 ms *", lines_[0]), lines_[0]
    assert "503" in lines_[1] and "request_id=r-1" in lines_[1], "an error names its request"
    assert "it broke" in plain and "{" not in lines_[0]


def test_make_reports_progress_during_installation() -> None:
    command = ["make", "--dry-run", "--always-make", "run"]
    plan = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    texts = [line for line in plan.splitlines() if line.startswith("echo ")]
    assert [text.split()[1].strip('"') for text in texts] == ["Creating", "Installing", "Installed", "Starting"]
    assert plan.index("Installing") < plan.index("pip install") < plan.index("Starting") < plan.index("vetrina up")
