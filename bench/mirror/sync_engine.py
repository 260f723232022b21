"""stripe-sync-engine, from npm, in the same run: what people use today. Left out with a line where node or npm is missing."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from urllib.parse import urlsplit

from bench.environment import Environment

PACKAGES = ("@supabase/stripe-sync-engine@0.48.5", "stripe@20")
PLACE = Path(tempfile.gettempdir()) / "vetrina-bench-sync-engine"
SCRIPT = Path(__file__).with_name("sync_engine.cjs")
DATABASE = "sync_engine"


def ready() -> bool:
    """Whether it is there, or could be installed just now."""
    node, npm = shutil.which("node"), shutil.which("npm")
    why = "" if node and npm else "node or npm is not installed"
    if not why and not (PLACE / "node_modules" / "@supabase").is_dir():
        PLACE.mkdir(exist_ok=True)
        (PLACE / "package.json").write_text('{"private": true}')
        command = [str(npm), "install", "--no-audit", "--no-fund", "--silent", *PACKAGES]
        done = subprocess.run(command, cwd=PLACE, capture_output=True, text=True, timeout=300)
        why = f"npm: {done.stderr.strip()[-200:]}" if done.returncode else ""
    if why:
        print(f"... stripe-sync-engine is skipped: {why}", file=sys.stderr, flush=True)
    return not why


@contextlib.contextmanager
def serving(env: Environment, secret: str, key: str) -> Generator[str]:
    """Its webhooks, on a database of its own."""
    make(env)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        ["node", str(SCRIPT), "serve", str(port)], env=variables(env, secret, key), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None and process.stdout.readline().strip() == "ready"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def fill(env: Environment, url: str, kind: str, key: str) -> float:
    """Seconds that its backfill of `kind` takes."""
    make(env)
    place = urlsplit(url)
    done = subprocess.run(
        ["node", str(SCRIPT), "fill", kind.removesuffix("s"), str(place.hostname), str(place.port)],
        env=variables(env, "none", key), capture_output=True, text=True, check=True, timeout=600,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])["seconds"]


def make(env: Environment) -> None:
    """An empty database."""
    env.run("postgres", f"drop database if exists {DATABASE} with (force)", f"create database {DATABASE}")


def variables(env: Environment, secret: str, key: str) -> dict[str, str]:
    """What the script reads."""
    uri = env.uri("superuser", DATABASE)
    return {**os.environ, "MODULES": str(PLACE), "DATABASE_URL": uri, "SECRET": secret, "KEY": key}
