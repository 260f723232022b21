"""`vetrina worker`: one worker process."""

from __future__ import annotations

import asyncio

from vetrina.core import logs, settings
from vetrina.core.embedded import embedded
from vetrina.core.services import connect
from vetrina.worker import run


def worker() -> int:
    """Run one worker process, which does the jobs: pictures, mail, what is due at a time.

    It uses the database in VETRINA_DATABASE_URL as the user given there, otherwise the embedded one of a
    `vetrina up` on the same data folder. SIGTERM ends it: what it is at goes back into the queue after 8 s.
    """
    found = settings.read()
    logs.configure(found.log_format, "worker")
    asyncio.run(run(connect(found, found.database_url or embedded(found.data).app)))
    return 0
