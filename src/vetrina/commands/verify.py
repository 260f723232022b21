"""`vetrina verify`: checks the ledger and the counted bytes."""

from __future__ import annotations

import asyncio

from vetrina.core.command_line import exit_codes as exits
from vetrina.core.command_line import logs, output
from vetrina.core.command_line.database_access import reaching
from vetrina.core.database.connection import Database
from vetrina.core.settings import environment as settings
from vetrina.core.settings.environment import Settings
from vetrina.media.files import actions as files
from vetrina.payments.settlement import verify as books
from vetrina.wallet.ledger import actions
from vetrina.wallet.model import Fault
from vetrina.wallet.plans import verify as paid_time


def verify(*, json: bool = False) -> int:
    """Verify balances against the ledger, paid days against days given, grants against payments, counted bytes against files.

    Exit code 0 if everything is consistent; 1, with the first inconsistent row, if not.

    Args:
        json: Print the result as JSON.
    """
    config = settings.read()
    logs.configure(config.log_format, "verify")
    faults = asyncio.run(_faults(config))
    if json:
        output.as_json({"clean": not faults, "faults": faults})
    elif not faults:
        print("The ledger is consistent: every balance follows from its entries, and every payment was granted once.")
        print("The stored bytes are counted right.")
    else:
        first, *more = faults
        print(f"The ledger is inconsistent. The first inconsistent row is {first.row} of account {first.account_id}:")
        print(f"  {first.check_name}: {first.expected} expected, {first.found} found")
        for item in more:
            print(f"  also {item.row} of account {item.account_id}: {item.check_name}")
    return exits.FAILED if faults else exits.OK


async def _faults(config: Settings) -> list[Fault]:
    async with reaching(config) as access:
        db = Database(access.app, size=2, name="vetrina verify")
        await db.open()
        try:
            async with db.tx() as tx:
                return [
                    *await actions.faults(tx),
                    *await paid_time.faults(tx),
                    *await books.faults(tx),
                    *await files.faults(tx),
                ]
        finally:
            await db.close()
