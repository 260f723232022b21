"""Adds the checksums of new migrations to migrations/landed.sha256; from then on their files may never change.

python -m scripts.landed
"""

from __future__ import annotations

from vetrina.core.database.migrations import LANDED, Migration, available, folder, landed


def append(migrations: list[Migration], checksums: dict[str, str]) -> list[str]:
    """Return the lines to add, in order. Raises SystemExit when a listed migration is missing or was changed."""
    present = {migration.name: migration.sha256 for migration in migrations}
    broken = [name for name, checksum in checksums.items() if present.get(name) != checksum]
    if broken:
        raise SystemExit(f"Released migrations are missing or were changed: {', '.join(broken)}. Add a new migration instead.")
    return [f"{migration.sha256}  {migration.name}.sql\n" for migration in migrations if migration.name not in checksums]


def main() -> None:
    """Add to the file, in the order of names, and print what was added."""
    lines = append(available(), landed())
    path = folder() / LANDED
    present = path.read_text("utf-8").splitlines(keepends=True) if path.is_file() else []
    path.write_text("".join(sorted([*present, *lines], key=lambda line: line.split()[1])), "utf-8")
    print("".join(lines) or "nothing to add\n", end="")


if __name__ == "__main__":
    main()
