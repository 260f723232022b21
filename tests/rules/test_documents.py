"""What the documents name is there: files, tables, constraints, calls, settings, commands; and the README's calls work."""

from __future__ import annotations

import asyncio
import re
import shutil
from dataclasses import fields
from typing import Any

import psycopg
import pytest

from scripts import reference
from tests.factories import PASSWORD, Make
from tests.rules.catalogue import Catalogue
from tests.rules.code import MODULES, ROOT, SOURCE
from tests.server import Site
from vetrina.accounts.passwords import Hasher
from vetrina.cli import create
from vetrina.core.settings.environment import Settings
from vetrina.demo.photos import path_of

PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/README.md",
    "docs/architecture.md",
    "docs/systems.md",
    "docs/reporting.md",
    "docs/stripe-mirror.md",
    "docs/payments.md",
    "findings/README.md",
]


def text_of(page: str) -> str:
    """Return a page's text."""
    return (ROOT / page).read_text("utf-8")


def quoted(text: str) -> set[str]:
    """Return the words in backticks."""
    return set(re.findall(r"`([^`\s]+)`", text))


def paths_in(page: str) -> set[str]:
    """Return the paths that a page names: words in backticks with a slash or a known suffix."""
    looks = re.compile(r"[\w.-]+/[\w./-]*|[\w.-]+\.(?:py|sql|md|toml|txt)")
    return {word for word in quoted(page) if looks.fullmatch(word) and "NAME" not in word and not word.startswith("text/")}


@pytest.mark.parametrize("page", PAGES)
def test_every_path_exists(page: str) -> None:
    # `queries.py` alone means any module's.
    gone = {name for name in paths_in(text_of(page)) if not (ROOT / name).exists() and not _in_a_module(name.rstrip("/"))}
    assert gone == set()


def _in_a_module(name: str) -> bool:
    return "/" not in name and any(SOURCE.rglob(name))


def test_wrong_path_is_detected() -> None:
    assert paths_in("`src/gone.py` and `a b/c` and `/healthz` and `wallet.entries` and `make`") == {"src/gone.py"}


def test_every_name_of_the_database_exists(catalogue: Catalogue, as_owner: psycopg.Connection[Any]) -> None:
    triggers = {row[0] for row in as_owner.execute("select tgname from pg_trigger where not tgisinternal")}
    tables = set(catalogue.columns) | {f"{function.schema}.{function.name}" for function in catalogue.functions}
    names = triggers | catalogue.raised() | {constraint.name for constraint in (*catalogue.constraints, *catalogue.indexes)}
    names |= {column for columns in catalogue.columns.values() for column in columns}
    # The right-hand column lists what exists, unless it says otherwise.
    cells = [line.split("|")[2] for line in text_of("docs/systems.md").splitlines() if line.startswith("| ")]
    words = {word for cell in cells if "not yet" not in cell for word in quoted(cell)}
    dotted = {word for word in words if re.fullmatch(rf"(?:core|{'|'.join(MODULES)})\.\w+", word)}
    snakes = {word for word in words if re.fullmatch(r"[a-z]+(?:_[a-z]+)+", word)}
    assert len(dotted) > 10 and len(snakes) > 10
    assert dotted - tables == set()
    assert snakes - names == set()


async def test_every_call_exists(site: Site) -> None:
    paths = (await site.client.get("/api/docs/openapi.json")).json()["paths"]
    text = "\n".join(text_of(page) for page in PAGES)
    named = set(re.findall(r"\b(GET|POST|PUT|PATCH|DELETE) (/api/v1/[\w/{}-]+)", text))
    named |= {("GET", f"/api/v1/{path}") for path in re.findall(r"\$SITE/(wallet|packs)\b", text)}
    assert len(named) > 5
    shapes = {(method.upper(), re.sub(r"{\w+}", "{}", path)) for path, item in paths.items() for method in item}
    assert {(method, path) for method, path in named if (method, re.sub(r"{\w+}", "{}", path)) not in shapes} == set()


def test_every_setting_exists() -> None:
    variables = {field.metadata["variable"] for field in fields(Settings)}
    named = {word for word in quoted(text_of("README.md").replace("=off", "")) if re.fullmatch(r"[A-Z]+(?:_[A-Z]+)+", word)}
    assert len(named) > 8
    assert named - variables == set()


def test_every_command_exists() -> None:
    app = create()
    for words in sorted(set(re.findall(r"`vetrina ((?:[a-z][a-z-]* ?)+)", text_of("README.md")))):
        _, _, left = app.parse_commands(words.split())
        assert left == [], words


def test_the_generated_references_are_current(as_owner: psycopg.Connection[Any]) -> None:
    rendered = {
        "docs/cli.md": reference.cli(),
        "docs/data-model.md": reference.data_model(as_owner),
        "docs/decisions/README.md": reference.decisions(),
    }
    assert [page for page, text in rendered.items() if text_of(page) != text] == [], "run `make reference`"


def test_the_index_of_documents_names_every_page() -> None:
    pages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")} - {"docs/README.md"}
    assert pages - paths_in(text_of("docs/README.md")) == set()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/README.md"])
def test_every_image_and_link_exists(page: str) -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", text_of(page))
    assert [target for target in targets if not ((ROOT / page).parent / target).exists()] == []


def test_the_readme_has_three_parts_and_three_screenshots() -> None:
    text = text_of("README.md")
    assert re.findall(r"^## (.+)", text, flags=re.M) == ["What it is", "Run it", "Work on it"]
    assert len(re.findall(r"^!\[.+\]\(docs/images/.+\)", text, flags=re.M)) == 3


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), flags=re.M))
    named = set(re.findall(r"^make (\w+)|`make (\w+)`", "\n".join(text_of(page) for page in PAGES), flags=re.M))
    assert {word for pair in named for word in pair if word} - targets == set()


@pytest.mark.skipif(not shutil.which("curl"), reason="the README's example calls curl")
async def test_the_readmes_calls_work(site: Site, make: Make) -> None:
    account = await make.account(email="demo@example.com", tokens=20)
    hashed = await site.services.get(Hasher).hash(PASSWORD)
    async with site.services.db.tx() as tx:
        await tx.connection.execute("update accounts.accounts set password_hash = %s where id = %s", (hashed, account.id))
    script = next(block for block in re.findall(r"```sh\n(.*?)```", text_of("README.md"), flags=re.S) if "curl" in block)
    script = f"PASSWORD='{PASSWORD}'\n{script}".replace("http://127.0.0.1:8000", site.url)
    script = script.replace("photo.jpg", str(path_of("fig_bowl")))
    # The event stream lasts as long as the generation; no worker runs here.
    lines = [line for line in script.splitlines() if "/events" not in line]
    process = await asyncio.create_subprocess_exec(
        "bash", "-euc", "\n".join(lines), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, errors.decode() + out.decode()
    assert '"balance":20' in out.decode() and '"status":"pending"' in out.decode() and '"tokens_50"' in out.decode()
