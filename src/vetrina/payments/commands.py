"""`vetrina payments`: poll the gateways."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
from cyclopts import App

from vetrina.core.command_line import exit_codes as exits
from vetrina.core.command_line import logs, output
from vetrina.core.command_line.database_access import reaching
from vetrina.core.services import connect
from vetrina.core.settings import environment as settings
from vetrina.core.settings.environment import Settings
from vetrina.payments import jobs
from vetrina.payments.settlement import sweep as sweeping

app = App(name="payments", help="Show payments and poll the gateways.")


@app.command
def sweep(*, json: bool = False) -> int:
    """Poll every gateway about payments that are pending, or that ended unpaid but may have been paid since.

    Paid ones are settled, expired ones end. Exit code 1 if a gateway did not answer; a job polls it again.

    Args:
        json: Print the result as JSON.
    """
    config = settings.read()
    logs.configure(config.log_format, "payments")
    swept = asyncio.run(_sweep(config))
    if json:
        output.as_json(msgspec.to_builtins(swept))
    else:
        print(
            f"{swept.asked} asked about: {swept.paid} paid, {swept.ended} over, {swept.waiting} still open, "
            f"{swept.away} without an answer."
        )
    return exits.FAILED if swept.away else exits.OK


async def _sweep(config: Settings) -> sweeping.Swept:
    async with reaching(config) as access:
        services = connect(config, access.app)
        await services.db.open()
        try:
            swept = await sweeping.sweep(services, young=timedelta(0), pause=timedelta(0))
            await jobs.expire_due(services)
            return swept
        finally:
            await services.db.close()
