"""`vetrina audit`: verification of the audit log."""

from __future__ import annotations

import asyncio

from cyclopts import App

from vetrina.core import audit
from vetrina.core.audit import Fault, Size
from vetrina.core.command_line import exit_codes as exits
from vetrina.core.command_line import logs, output
from vetrina.core.command_line.database_access import doing
from vetrina.core.database.connection import Tx
from vetrina.core.jobs import audit_anchors
from vetrina.core.jobs.audit_anchors import Comparison
from vetrina.core.settings import environment as settings

app = App(name="audit", help="Verify the audit log.")


@app.command
def verify(*, json: bool = False) -> int:
    """Verify that no row was changed, removed or added: each chain by itself, and against the anchors in the data folder.

    Exit code 0 if every chain holds, 1 with the first faults if not.

    Args:
        json: Print the result as JSON.
    """

    async def work(tx: Tx) -> tuple[Size, list[Fault], Comparison]:
        anchored = await audit_anchors.compare(tx, configured.data, settings.secret_keys(configured))
        return await tx.fetch_one(audit.SIZE), await audit.faults(tx), anchored

    configured = settings.read()
    logs.configure(configured.log_format, "audit")
    size, faults, anchored = asyncio.run(doing(configured, work))
    faults = [*faults, *anchored.faults]
    if json:
        counts = {"rows": size.rows, "chains": size.chains, "last_anchor": anchored.last}
        output.as_json({"clean": not faults, **counts, "faults": faults})
    elif not faults:
        print(f"The audit log holds: {size.rows} rows in {size.chains} chains, none changed, removed or added.")
    else:
        print("The audit log does not hold:")
        for fault in faults:
            print(f"  account {fault.account_id}, position {fault.position}, row {fault.id or '(none)'}: {fault.what}")
    if not json and anchored.last is None:
        print("No anchor outside the database yet; a worker records one every hour.")
    elif not json:
        print(f"Compared with {anchored.heads} heads anchored outside the database, last at {anchored.last:%Y-%m-%d %H:%M} UTC.")
    return exits.FAILED if faults else exits.OK
