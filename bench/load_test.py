"""One round of load for some seconds: the site over HTTP, or pgbench directly on the database."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.environment import ROOT, Environment, Web

WRK = shutil.which("wrk")


@dataclass(frozen=True)
class Round:
    """Result of one round: requests a second, milliseconds, and processor time per request."""

    rate: float
    p50: float
    p99: float
    created: int
    refused: int
    other: int
    database_us: float
    """Processor time of PostgreSQL per request, in microseconds."""
    web_us: float = 0.0
    """Processor time of the web processes per request, in microseconds."""
    share: float = 1.0
    """The busiest web process's share of their processor time."""


def run_http(env: Environment, site: Web, clients: int, seconds: float, requests: Path) -> Round:
    """Run `clients` connections, each with one request at a time."""
    database, busy = env.cpu(), site.cpu()
    result = _wrk(site, clients, seconds, requests) if WRK else _without_wrk(site, clients, seconds, requests)
    used = [after - before for before, after in zip(busy, site.cpu(), strict=True)]
    done = result["created"] + result["refused"]
    return Round(
        rate=done / result["seconds"],
        p50=result["p50"],
        p99=result["p99"],
        created=int(result["created"]),
        refused=int(result["refused"]),
        other=int(result["other"] + result["errors"]),
        database_us=(env.cpu() - database) / done * 1e6,
        web_us=sum(used) / done * 1e6,
        share=max(used) / max(sum(used), 0.01),
    )


def run_pgbench(env: Environment, database: str, clients: int, seconds: float, script: Path) -> Round:
    """Run `clients` connections, each with one transaction at a time; statements are prepared."""
    before = env.cpu()
    duration = max(round(seconds + clients / 64), 1)  # it begins to count before its clients are connected
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [
                env.program("pgbench"),
                *("-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2)), "-T", str(duration)),
                *("-f", str(script), "-l", "--log-prefix", f"{folder}/log", env.uri("app", database)),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or "tps = " not in done.stdout:
            raise RuntimeError(f"pgbench: {done.stdout[-1000:]} {done.stderr[-1000:]}")
        times = sorted(int(line.split(None, 3)[2]) for item in Path(folder).iterdir() for line in item.read_text().splitlines())
    rate = float(next(line.split()[2] for line in done.stdout.splitlines() if line.startswith("tps")))
    return Round(
        rate=rate,
        p50=times[len(times) // 2] / 1e3,
        p99=times[len(times) * 99 // 100] / 1e3,
        created=len(times),
        refused=0,
        other=0,
        database_us=(env.cpu() - before) / len(times) * 1e6,
    )


def _wrk(site: Web, clients: int, seconds: float, requests: Path) -> dict[str, float]:
    threads = str(min(clients, 2))
    done = subprocess.run(
        [
            *(str(WRK), "-t", threads, "-c", str(clients), "-d", f"{max(round(seconds), 1)}s", "--timeout", "10s"),
            *("-s", str(ROOT / "bench" / "load.lua"), site.url, "--", str(requests)),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.strip().splitlines()[-1])


def _without_wrk(site: Web, clients: int, seconds: float, requests: Path) -> dict[str, float]:
    place = urlsplit(site.url)
    parts = [clients - clients // 2, clients // 2] if clients > 1 else [1]
    running = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "bench.load_client", str(place.hostname), str(place.port)),
                *(str(part), str(seconds), str(requests)),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        for part in parts
    ]
    result = [json.loads(item.communicate()[0]) for item in running]
    summed = {name: sum(item[name] for item in result) for name in ("created", "refused", "other", "errors")}
    return {**summed, **{name: max(item[name] for item in result) for name in ("seconds", "p50", "p99")}}
