"""`vetrina worker`: one worker process."""

from __future__ import annotations

import asyncio

from vetrina.core.command_line import logs
from vetrina.core.embedded import embedded
from vetrina.core.services import connect
from vetrina.core.settings import environment as settings
from vetrina.worker import run


def worker() -> int:
    """Run one worker process, which runs background jobs: images, mail, scheduled work.

    It connects to the database in VETRINA_DATABASE_URL as the user given there, otherwise to the embedded one of a `vetrina up`
    on the same data folder. SIGTERM stops it: unfinished jobs return to the queue after 8 s.
    """
    config = settings.read()
    logs.configure(config.log_format, "worker")
    asyncio.run(run(connect(config, config.database_url or embedded(config.data).app)))
    return 0
