#!/usr/bin/env bash
# procrastinate 3.10.0: a periodic task whose moment is more than ten minutes past is never deferred.
#
# Expected: a worker that starts at 08:00 defers the nightly task that was due at 03:10 while it was off, once (as
# anacron or a systemd timer with Persistent=true does).
# Seen: the deferrer looks back at the last tick, finds it older than its max_delay (600 s, set nowhere by the caller)
# and drops it with a line in the log at DEBUG. On a machine that sleeps at night the task never runs.
# Consequence: what must run needs a record of its last run and a frequent look at it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check procrastinate==3.10.0
"$folder/venv/bin/python" - > "$folder/seen" <<'PY'
from datetime import UTC, datetime
from procrastinate import App
from procrastinate.periodic import PeriodicDeferrer
from procrastinate.testing import InMemoryConnector

app = App(connector=InMemoryConnector())


@app.periodic(cron="10 3 * * *")
@app.task(name="nightly")
def nightly(timestamp: int) -> None:
    pass


print("max_delay:", PeriodicDeferrer(registry=app.periodic_registry).max_delay)
for clock in ("03:11", "03:19", "03:21", "08:00"):
    now = datetime.fromisoformat(f"2026-11-27T{clock}:00").replace(tzinfo=UTC)
    deferrer = PeriodicDeferrer(registry=app.periodic_registry)
    due = [task.task.name for task, _ in deferrer.get_previous_tasks(at=now.timestamp())]
    print(f"started at {clock}: {due or 'nothing'}")
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
max_delay: 600
started at 03:11: ['nightly']
started at 03:19: ['nightly']
started at 03:21: nothing
started at 08:00: nothing
SEEN
echo "as described"
