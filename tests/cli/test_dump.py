"""`vetrina db dump` and `vetrina db restore`, each as a process on a data folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def vetrina(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run one command on a data folder."""
    environment = {**os.environ, "VETRINA_DATA": str(data)}
    return subprocess.run([sys.executable, "-m", "vetrina", *words], env=environment, capture_output=True, text=True, timeout=180)


def test_a_dump_is_restored_into_an_empty_data_folder_alone(tmp_path: Path) -> None:
    """9.F34: by the programs of the embedded PostgreSQL; nothing is overwritten, neither a file nor a site."""
    here, there, file = tmp_path / "here", tmp_path / "there", tmp_path / "site.dump"
    assert vetrina(here, "migrate").returncode == 0
    pack = "insert into core.idempotency_keys default values"
    assert vetrina(here, "db", "shell", "--role", "owner", "-c", pack).returncode != 0, "psql's exit code is passed on"
    marked = vetrina(here, "db", "shell", "--role", "owner", "-c", "create table core.mark as select 'kept' as word")
    assert marked.returncode == 0, marked.stderr

    dumped = vetrina(here, "db", "dump", str(file))
    assert dumped.returncode == 0, dumped.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    size = file.stat().st_size
    again = vetrina(here, "db", "dump", str(file))
    assert (again.returncode, file.stat().st_size) == (1, size)
    assert "exists" in again.stderr

    assert vetrina(there, "db", "restore", str(tmp_path / "none")).returncode == 1
    restored = vetrina(there, "db", "restore", str(file))
    assert restored.returncode == 0, restored.stderr
    word = vetrina(there, "db", "shell", "--role", "owner", "-Atc", "select word from core.mark")
    assert word.stdout.strip() == "kept"
    rights = "select has_table_privilege('vetrina_app', 'accounts.accounts', 'select')"
    assert vetrina(there, "db", "shell", "-Atc", rights).stdout.strip() == "t"
    assert vetrina(there, "migrate").returncode == 0
    assert vetrina(there, "verify").returncode == 0

    second = vetrina(there, "db", "restore", str(file))
    assert second.returncode == 1
    assert "holds a site already" in second.stderr
    file.write_bytes(file.read_bytes()[: size // 2])
    broken = vetrina(tmp_path / "third", "db", "restore", str(file))
    assert broken.returncode == 4
    empty = vetrina(tmp_path / "third", "db", "shell", "--role", "owner", "-Atc", "select to_regclass('core.migrations')")
    assert empty.stdout.strip() == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here", "site.dump", "there", "third"]
