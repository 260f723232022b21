"""Collect the messages of templates and code, bring the catalogues up to date, and compile them.

python -m scripts.messages            what `make messages` runs
python -m scripts.messages --compile  compile only, after a translation was edited
"""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from scripts import declared_messages
from vetrina.web.i18n import DOMAIN, FOLDER, LANGUAGES

SOURCE = Path(__file__).resolve().parent.parent / "src" / "vetrina"
KEYWORDS = {
    "_": None,
    "_n": (1, 2),
    "say": None,
    "say_as": ((1, "c"), 2),
    "count": (1, 2),
    "N_": None,
    "NN_": (1, 2),
    "NP_": ((1, "c"), 2),
}
METHODS = [("demo/**", "ignore"), ("**.py", "python"), ("**/templates/**.html", "jinja2"), ("**/templates/**.mail", "jinja2")]


def collect() -> Catalog:
    """Return every marked message, without places: lines move with every edit."""
    catalogue = Catalog(domain=DOMAIN, project="Vetrina", header_comment="# Messages of Vetrina, written by scripts/messages.py.")
    options = {"**/templates/**": {"silent": "false"}}
    for _, _, message, comments, context in extract_from_dir(
        SOURCE, METHODS, options, keywords=KEYWORDS, comment_tags=("Translators:",), strip_comment_tags=True
    ):
        catalogue.add(message, auto_comments=comments, context=context)
    for message in sorted(declared_messages.collect(), key=str):
        catalogue.add(message)
    return catalogue


def compiled(catalogue: Catalog) -> bytes:
    """Return the catalogue as gettext reads it."""
    catalogue.creation_date = catalogue.revision_date = datetime(2026, 1, 1, tzinfo=UTC)  # the same bytes whenever it is run
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def read(language: str) -> Catalog:
    """Return the translations of a language."""
    with (folder(language) / f"{DOMAIN}.po").open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


def folder(language: str) -> Path:
    """Return the folder of a language's catalogue."""
    return FOLDER / language / "LC_MESSAGES"


def save(catalogue: Catalog, path: Path) -> None:
    """Write a catalogue sorted by message, without the time of writing: an unchanged one stays as it is."""
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=126, no_location=True, sort_output=True, omit_header=False)
    lines = [line for line in buffer.getvalue().splitlines(keepends=True) if b"-Date: " not in line]
    path.write_bytes(b"".join(lines))


def main() -> None:
    """Write the template and the catalogues, and say what is left to translate."""
    template = None if "--compile" in sys.argv[1:] else collect()
    if template is not None:
        save(template, FOLDER / f"{DOMAIN}.pot")
    for language in LANGUAGES:
        if not (folder(language) / f"{DOMAIN}.po").exists():  # English is the source
            continue
        catalogue = read(language)
        if template is not None:
            catalogue.update(template, no_fuzzy_matching=True)
            catalogue.obsolete.clear()
            save(catalogue, folder(language) / f"{DOMAIN}.po")
        (folder(language) / f"{DOMAIN}.mo").write_bytes(compiled(read(language)))
        missing = sum(not message.string or not any(message.string) for message in catalogue if message.id)
        print(f"{language}: {len(catalogue)} messages, {missing} not translated yet")


if __name__ == "__main__":
    main()
