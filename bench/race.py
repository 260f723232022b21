"""One round of a race: the site over HTTP, or pgbench straight on the database, for some seconds."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.house import ROOT, House, Web

WRK = shutil.which("wrk")


@dataclass(frozen=True)
class Round:
    """What one round gave: requests a second, milliseconds, and processor time for each request."""

    rate: float
    p50: float
    p99: float
    created: int
    refused: int
    other: int
    database_us: float
    """Microseconds of processor that PostgreSQL used for one request."""
    web_us: float = 0.0
    """The same of the web processes."""
    share: float = 1.0
    """The busiest web process's part of the web processes' work."""


def over_http(at: House, site: Web, clients: int, seconds: float, requests: Path) -> Round:
    """`clients` connections, each with one request on its way."""
    database, busy = at.cpu(), site.cpu()
    told = _wrk(site, clients, seconds, requests) if WRK else _own(site, clients, seconds, requests)
    used = [after - before for before, after in zip(busy, site.cpu(), strict=True)]
    done = told["created"] + told["refused"]
    return Round(
        rate=done / told["seconds"],
        p50=told["p50"],
        p99=told["p99"],
        created=int(told["created"]),
        refused=int(told["refused"]),
        other=int(told["other"] + told["errors"]),
        database_us=(at.cpu() - database) / done * 1e6,
        web_us=sum(used) / done * 1e6,
        share=max(used) / max(sum(used), 0.01),
    )


def by_pgbench(at: House, database: str, clients: int, seconds: float, script: Path) -> Round:
    """`clients` connections, each with one transaction on its way; statements are prepared."""
    before = at.cpu()
    lasting = max(round(seconds + clients / 64), 1)  # it begins to count before its clients are connected
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [
                at.program("pgbench"),
                *("-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2)), "-T", str(lasting)),
                *("-f", str(script), "-l", "--log-prefix", f"{folder}/log", at.uri("app", database)),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or "tps = " not in done.stdout:
            raise RuntimeError(f"pgbench: {done.stdout[-1000:]} {done.stderr[-1000:]}")
        times = sorted(
            int(line.split(None, 3)[2]) for each in Path(folder).iterdir() for line in each.read_text().splitlines()
        )
    rate = float(next(line.split()[2] for line in done.stdout.splitlines() if line.startswith("tps")))
    return Round(
        rate=rate,
        p50=times[len(times) // 2] / 1e3,
        p99=times[len(times) * 99 // 100] / 1e3,
        created=len(times),
        refused=0,
        other=0,
        database_us=(at.cpu() - before) / len(times) * 1e6,
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


def _own(site: Web, clients: int, seconds: float, requests: Path) -> dict[str, float]:
    place = urlsplit(site.url)
    parts = [clients - clients // 2, clients // 2] if clients > 1 else [1]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.client", str(place.hostname), str(place.port), str(part), str(seconds), str(requests)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        for part in parts
    ]
    told = [json.loads(each.communicate()[0]) for each in running]
    summed = {name: sum(each[name] for each in told) for name in ("created", "refused", "other", "errors")}
    return {**summed, **{name: max(each[name] for each in told) for name in ("seconds", "p50", "p99")}}
