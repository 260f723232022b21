"""One backfill of one kind, like the command: `python -m bench.mirror.backfill_once KIND`. Prints the seconds as JSON."""

from __future__ import annotations

import asyncio
import json
import sys
import time

from vetrina.core.services import connect
from vetrina.core.settings.environment import read
from vetrina.stripe_mirror.backfill.actions import backfill


async def main(kind: str) -> None:
    """Run the backfill."""
    settings = read()
    services = connect(settings, settings.database_url)
    await services.db.open()
    started = time.perf_counter()
    await backfill(services, [kind], fresh=True)
    print(json.dumps({"seconds": time.perf_counter() - started}))
    await services.db.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
