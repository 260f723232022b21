"""Databases of earlier versions, restored from their dumps."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from vetrina.core.embedded.binaries import Binaries

HERE = Path(__file__).resolve().parent
VERSIONS = sorted(folder.name for folder in HERE.iterdir() if (folder / "database.dump").is_file())


def restore(version: str, uri: str) -> None:
    """Restore the dump of `version` into the empty database at `uri`, as a superuser, so that owners and rights stay."""
    subprocess.run(
        [Binaries.find().program("pg_restore"), "--exit-on-error", "--dbname", uri, HERE / version / "database.dump"],
        check=True,
        capture_output=True,
        text=True,
    )


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    """Each version that has a dump."""
    return request.param


@pytest.fixture
def restored(server: str, template: str, version: str) -> Iterator[str]:
    """The URI, as its owner's, of a database of this version. `template` is asked for because it makes the roles."""
    name = f"upgrade_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name} owner vetrina_owner".encode())
        restore(version, urlunsplit(urlsplit(server)._replace(path=f"/{name}")))
        parts = urlsplit(server)
        host = parts.netloc.rpartition("@")[2]
        yield urlunsplit(parts._replace(netloc=f"vetrina_owner:test@{host}", path=f"/{name}"))
        connection.execute(f"drop database {name} with (force)".encode())
