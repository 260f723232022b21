"""`vetrina audit`: verification of the audit log."""

from __future__ import annotations

import asyncio

from cyclopts import App

from vetrina.core import audit, logs, settings
from vetrina.core.audit import Fault, Size
from vetrina.core.command_line import exit_codes as exits
from vetrina.core.command_line import output
from vetrina.core.command_line.database_access import doing
from vetrina.core.database.connection import Tx

app = App(name="audit", help="Verify the audit log.")


@app.command
def verify(*, json: bool = False) -> int:
    """Verify that no row was changed, removed or added. Exit code 0 if every chain holds, 1 with the first breaks if not.

    Parameters
    ----------
    json
        Print the result as JSON.
    """

    async def work(tx: Tx) -> tuple[Size, list[Fault]]:
        return await tx.one(audit.SIZE), await audit.faults(tx)

    configured = settings.read()
    logs.configure(configured.log_format, "audit")
    size, faults = asyncio.run(doing(configured, work))
    if json:
        output.as_json({"clean": not faults, "rows": size.rows, "chains": size.chains, "faults": faults})
    elif not faults:
        print(f"The audit log holds: {size.rows} rows in {size.chains} chains, none changed, removed or added.")
    else:
        print("The audit log does not hold:")
        for fault in faults:
            print(f"  account {fault.account_id}, position {fault.position}, row {fault.id or '(none)'}: {fault.what}")
    return exits.FAILED if faults else exits.OK
