"""The data folder's own secrets: the roles' passwords and the embedded server's port."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Literal, get_args

import msgspec

from vetrina.core.embedded.errors import NoAccess
from vetrina.core.files import write_whole

Role = Literal["owner", "app", "reporting", "superuser"]
ROLES: tuple[Role, ...] = get_args(Role)
FILE = "postgres.json"


class Credentials(msgspec.Struct):
    """The contents of `postgres.json` (mode 0600) in the data folder."""

    passwords: dict[Role, str]
    port: int = 0
    """0 until one has been chosen."""


def read(data: Path) -> Credentials | None:
    """Return those of this data folder, or None if it has none yet. Raises NoAccess."""
    try:
        return msgspec.json.decode((data / FILE).read_bytes(), type=Credentials)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NoAccess(f"{data / FILE} cannot be read: {error}") from error
    except msgspec.MsgspecError as error:
        raise NoAccess(
            f"{data / FILE} is damaged: {error}. It holds the passwords of the database beside it. "
            "Restore it from a backup of the data folder."
        ) from error


def read_or_make(data: Path) -> Credentials:
    """Return those of this data folder, created if it has none. Concurrent processes agree on one set."""
    stored = read(data)
    if stored is None:
        created = Credentials({role: secrets.token_urlsafe(24) for role in ROLES})
        _put(data, created, replace=False)
        stored = read(data) or created
    return stored


def write(data: Path, credentials: Credentials) -> None:
    """Replace them atomically and durably."""
    _put(data, credentials, replace=True)


def _put(data: Path, credentials: Credentials, *, replace: bool) -> None:
    try:
        write_whole(data / FILE, msgspec.json.format(msgspec.json.encode(credentials)), replace=replace)
    except OSError as error:
        raise NoAccess(f"The data folder {data} cannot be written: {error}") from error
