"""Seconds and peak memory of every built-in style on the 12-megapixel photograph, each in a fresh process.

`python bench/engine.py [--size 1600] [STYLE ...]`. One core; decoding and encoding included.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from vetrina.clients.engines.builtin.catalogue import STYLES
from vetrina.demo.photos import path_of


def _peak() -> float:
    """Return this program's peak memory in MiB. `ru_maxrss` would begin with that of the process which started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def once(name: str, size: int) -> dict[str, float]:
    """Render one style in this process: seconds and the process's peak in MiB, before and after."""
    from vetrina.clients.engines.builtin.catalogue import BY_NAME
    from vetrina.clients.engines.builtin.render import render

    style, photo = BY_NAME[name], path_of("dandelion").read_bytes()
    idle = _peak()
    started = time.perf_counter()
    render(
        {
            "style": name,
            "parameters": {"size": size},
            "seed": 1,
            "products": [path_of("coffee").read_bytes()] if style.needs_model else [photo] * style.needs_product,
            "models": [photo] if style.needs_model or not style.needs_product else [],
        },
        lambda fraction, step: None,
    )
    seconds = time.perf_counter() - started
    peak = _peak()
    return {"seconds": seconds, "idle": idle, "peak": peak}


def main() -> int:
    """Measure the named styles, or all of them, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("styles", nargs="*", metavar="STYLE")
    parser.add_argument("--size", type=int, default=1600)
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        print(json.dumps(once(options.styles[0], options.size)))
        return 0
    print(f"{'style':18} {'seconds':>8} {'peak MiB':>9}   (12 megapixels in, long side {options.size} out)")
    for style in STYLES:
        if options.styles and style.name not in options.styles:
            continue
        done = subprocess.run(
            [sys.executable, __file__, "--once", "--size", str(options.size), style.name],
            check=True,
            capture_output=True,
            text=True,
        )
        figures = json.loads(done.stdout)
        print(f"{style.name:18} {figures['seconds']:8.2f} {figures['peak']:9.0f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
