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
from vetrina.accounts.storage import actions as storage
from vetrina.core import audit, personal_data
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.errors import Refusal
from vetrina.core.files import work_folder
from vetrina.core.jobs.queue import enqueue
from vetrina.core.personal_data import PersonalData, TableRule
from vetrina.core.services import Services
from vetrina.core.storage import reserve
from vetrina.core.storage.reserve import DiskReserved
from vetrina.core.storage.store import NotStored

log = structlog.get_logger("vetrina.accounts")

DAYS = 7
"""Days for which an export can be downloaded."""
LINK_SECONDS = 3600
"""Lifetime of a download link in seconds."""

README = """\
The data that this Vetrina site holds about your account, as of {time}.

data/      one JSON file for each table: a list of rows
pictures/  your pictures, named by their id in data/media.stored_files.json

Passwords, codes and other secrets are not included: only their hashes are stored.
"""


class ExportAlreadyRunning(Refusal):
    """An export is being prepared already."""

    status = 409
    constraint = "export_under_way"


async def request_export(tx: Tx, services: Services, account: AccountId) -> UUID:
    """Start an export and return its id. It replaces an older one once it is ready.

    Raises ExportAlreadyRunning (409) while another is pending, DiskReserved (507).
    """
    await _require_disk(tx, services, account)
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
    """Write the ZIP and store it in place of an older one. Running again overwrites the first result.

    The export fails if the disk has no room for it.
    """
    async with services.db.read() as tx:
        row = await tx.fetch_optional(queries.EXPORT, account=account, id=export)
    if row is None or row.status != "pending":
        return
    try:
        await _write(services, account, export)
    except DiskReserved:
        async with services.db.tx() as tx:
            await tx.execute(queries.FAIL_EXPORT, account=account, id=export)


async def _write(services: Services, account: AccountId, export: UUID) -> None:
    async with services.db.read() as tx:
        await _require_disk(tx, services, account)
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
        reserve.require(services.settings, size)
        await services.storage.put_file(key, file, "application/zip")
    async with services.db.tx() as tx:
        await tx.execute(queries.DELETE_OLDER_EXPORTS, account=account, id=export)
        await tx.execute(queries.FINISH_EXPORT, account=account, id=export, status="ready", key=key, bytes=size)
        row = await tx.fetch_optional(queries.EXPORT, account=account, id=export)
    if row is None or row.status != "ready":  # erased or given up meanwhile; a second run of the job leaves it alone
        await services.storage.delete([key])


async def _require_disk(tx: Tx, services: Services, account: AccountId) -> None:
    """Raise DiskReserved (507) unless the account's files fit on the disk twice: while it is written, the ZIP is there twice."""
    used = await storage.use(tx, account)
    reserve.require(services.settings, 2 * (used.used_bytes - used.export_bytes))


async def delete(tx: Tx, account: AccountId, export: UUID) -> None:
    """Delete an export that has ended; a job deletes its bytes. Raises NotFound (404)."""
    await tx.fetch_one(queries.DELETE_EXPORT, account=account, id=export)


async def delete_expired(services: Services) -> None:
    """Delete expired exports; jobs delete their bytes."""
    async with services.db.tx() as tx:
        await tx.execute(queries.DELETE_EXPIRED_EXPORTS)
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
