"""One web process on a listening socket that it inherits: `python -m bench.web FD`. Settings come from the environment."""

from __future__ import annotations

import cProfile
import os
import signal
import socket
import sys

import uvicorn

from vetrina.app import create
from vetrina.core.command_line import logs
from vetrina.core.services import connect
from vetrina.core.settings.environment import read


def main(handle: int) -> None:
    """Serve until SIGTERM. With BENCH_PROFILE set, the profile is written to that path and the process's id."""
    settings = read()
    logs.configure(settings.log_format, "web")
    config = uvicorn.Config(create(connect(settings, settings.database_url)), log_config=None, access_log=False, lifespan="on")
    server = uvicorn.Server(config)
    listener = socket.socket(fileno=handle)
    to = os.environ.get("BENCH_PROFILE")
    if not to:
        server.run(sockets=[listener])
        return
    profile = cProfile.Profile()
    profile.enable()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    finally:
        profile.disable()
        profile.dump_stats(f"{to}.{os.getpid()}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
