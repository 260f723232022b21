"""Data exports: requested by the owner, written by a job as one ZIP, downloaded by a signed link until they expire."""

from __future__ import annotations

import asyncio
import zipfile
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import structlog

from vetrina.accounts.privacy import queries
from vetrina.accounts.privacy.queries import Export
from vetrina.core import audit, personal_data
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.errors import Refusal
from vetrina.core.files import work_folder
from vetrina.core.jobs.queue import enqueue
from vetrina.core.personal_data import PersonalData, TableRule
from vetrina.core.services import Services
from vetrina.core.storage.store import NotStored

log = structlog.get_logger("vetrina.accounts")

DAYS = 7
"""Days for which an export can be downloaded."""
LINK_SECONDS = 3600
"""Lifetime of a download link in seconds."""

README = """\
The data that this Vetrina site holds about your account, as of {time}.

data/      one JSON file for each table: a list of rows
pictures/  your pictures, named by their id in data/media.files.json

Passwords, codes and other secrets are not included: only their hashes are stored.
"""


class ExportAlreadyRunning(Refusal):
    """An export is being prepared already."""

    status = 409
    constraint = "export_under_way"


async def request_export(tx: Tx, account: AccountId) -> UUID:
    """Start an export and return its id. Raises ExportAlreadyRunning (409) while another is pending."""
    export_id = await tx.fetch_optional(queries.INSERT_EXPORT, account=account, id=new_id(), days=DAYS)
    if export_id is None:
        raise ExportAlreadyRunning
    await enqueue(tx, "accounts.export", queue="exports", account=str(account), export=str(export_id))
    await audit.record(tx, "export_asked", account, resource=("export", export_id))
    return export_id


def link(services: Services, export: Export) -> str | None:
    """Return a download link that is valid for an hour; None while the export is not ready."""
    if export.status != "ready":
        return None
    path = f"/exports/{export.account_id}/{export.id}.zip"
    return f"{path}?{services.links.sign(path, LINK_SECONDS)}"


async def make(services: Services, account: AccountId, export: UUID) -> None:
    """Write the ZIP and store it. Running again overwrites the first result."""
    async with services.db.read() as tx:
        row = await tx.fetch_optional(queries.EXPORT, account=account, id=export)
    if row is None or row.status != "pending":
        return
    key = f"exports/{account}/{export}.zip"
    with work_folder(services.settings.data) as folder:
        file = folder / "export.zip"
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            archive.writestr("README.txt", README.format(time=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"))
            parts = personal_data.declarations(services.modules)
            for part in parts:
                await _tables(services, account, part, archive)
            for part in parts:
                await _files(services, account, part, archive)
        size = file.stat().st_size
        await services.storage.put_file(key, file, "application/zip")
    async with services.db.tx() as tx:
        finished = await tx.fetch_optional(queries.FINISH_EXPORT, account=account, id=export, status="ready", key=key, bytes=size)
    if finished is None:  # erased meanwhile
        await services.storage.delete([key])


async def delete_expired(services: Services) -> None:
    """Delete expired exports, the bytes first: without its row the bytes could not be located."""
    async with services.db.read() as tx:
        expired = await tx.fetch_all(queries.EXPIRED_EXPORTS)
    for export in expired:
        if export.storage_key:
            await services.storage.delete([export.storage_key])
        async with services.db.tx() as tx:
            await tx.execute(queries.DELETE_EXPORT, account=export.account_id, id=export.id)
    async with services.db.tx() as tx:
        await tx.execute(queries.FAIL_STUCK_EXPORTS)


async def _tables(services: Services, account: AccountId, part: PersonalData, archive: zipfile.ZipFile) -> None:
    for table in part.tables:
        if table.export is not None:
            async with services.db.tx() as tx:
                await _rows(tx, account, table, archive)


async def _rows(tx: Tx, account: AccountId, table: TableRule, archive: zipfile.ZipFile) -> None:
    assert table.export is not None
    with archive.open(f"data/{table.table}.json", "w", force_zip64=True) as out:
        separator = b"[\n"
        async for row in tx.stream(table.export, account=account):
            await asyncio.to_thread(out.write, separator + msgspec.json.encode(row))
            separator = b",\n"
        out.write(b"[]\n" if separator == b"[\n" else b"\n]\n")


async def _files(services: Services, account: AccountId, part: PersonalData, archive: zipfile.ZipFile) -> None:
    if part.files is None:
        return
    async for name, key in part.files(services, account):
        try:
            stream = await services.storage.stream(key)
        except NotStored:
            log.warning("a file is missing from an export", key=key)
            continue
        info = zipfile.ZipInfo(name, datetime.now(UTC).timetuple()[:6])
        info.compress_type = zipfile.ZIP_STORED  # pictures are compressed already
        with archive.open(info, "w", force_zip64=True) as out:
            async for chunk in stream.chunks:
                await asyncio.to_thread(out.write, chunk)
