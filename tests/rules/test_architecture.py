"""The layers match the documentation, and files keep to the style rules."""

from __future__ import annotations

import re
from pathlib import Path

from tests.rules.catalogue import Catalogue
from tests.rules.code import MODULES, ROOT, SOURCE, stair, tracked
from vetrina.modules import MODULES as LOADED

LIMIT = 320  # about 300
MEASURED = {".py", ".sql", ".html", ".css", ".js", ".md", ".lock"}
LONGER = {
    "migrations/0003_wallet.sql": "the ledger's functions belong beside the tables that they keep",
    "schema.sql": "generated",
    "docs/cli.md": "generated",
    "docs/data-model.md": "generated",
    "requirements.lock": "generated",
    "requirements-dev.lock": "generated",
    "tests/core/test_isolation.py": "one table of ways to misbehave",
    "tests/media/processing/bad_files.py": "one table of files that are not what they say",
}
"""Files over the limit, with reasons."""

FOREIGN = ("src/vetrina/web/static/vendor/", "tests/vendor/", "tests/upgrade/0.")
"""Third-party files and data of earlier versions, kept unchanged."""

TEXT = {".py", ".sql", ".md", ".toml", ".html", ".css", ".js", ".json", ".sh", ".lua", ".yml", ".yaml", ".txt", ".lock", ""}


def texts() -> list[tuple[str, str]]:
    """Return our own tracked text files: path and content."""
    files = [(path.relative_to(ROOT).as_posix(), path) for path in tracked() if path.suffix in TEXT]
    return [(name, path.read_text("utf-8")) for name, path in files if not name.startswith(FOREIGN)]


def test_the_page_draws_the_stair_that_is() -> None:
    page = (ROOT / "docs/architecture.md").read_text("utf-8")
    drawn = [set(re.findall(r"\w+", line)) for line in page.split("```")[1].strip().splitlines()]
    standing = [{name for name in names if (SOURCE / name).is_dir() or name in {"app", "worker", "cli"}} for names in stair()]
    assert drawn[1:] == [names for names in reversed(standing[:-1]) if names]
    assert drawn[0] <= stair()[-1]


WALKS = {
    "src/vetrina/payments/webhooks/stripe_payments.py": r'"charge\.refunded"',
    "src/vetrina/accounts/passwords.py": r"\bdef check\(password",
    "src/vetrina/media/processing/images.py": r"^THUMBNAILS = ",
    "src/vetrina/accounts/verification/actions.py": r"codes_target",
    "src/vetrina/payments/receipts/pdf.py": r"\bFPDF\b",
}
"""Where the page says that something is, and what proves that it is there."""


def test_the_page_leads_to_the_right_files() -> None:
    page = (ROOT / "docs/architecture.md").read_text("utf-8").split("## Where to find it")[1].split("##")[0]
    assert set(re.findall(r"`(src/[^`]+)`", page)) == set(WALKS)
    assert [path for path, sign in WALKS.items() if not re.search(sign, (ROOT / path).read_text("utf-8"), re.M)] == []


def test_files_are_short() -> None:
    long = {
        path.relative_to(ROOT).as_posix()
        for path in tracked()
        if path.suffix in MEASURED and len(path.read_text("utf-8").splitlines()) > LIMIT
    }
    ours = {name for name in long if not name.startswith(FOREIGN)}
    assert ours - set(LONGER) == set(), f"split these by noun, or say why not: {LIMIT} lines are the limit"
    assert set(LONGER) - ours == set(), "these are short by now"


def test_nothing_is_left_for_later() -> None:
    marks = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X"]) + r")\b")
    assert [f"{name}: {match.group()}" for name, text in texts() if (match := marks.search(text))] == []


def test_no_path_of_anyones_machine_is_named() -> None:
    checkout = {str(ROOT)} if len(ROOT.parts) > 2 else set[str]()
    homes = {*checkout, str(Path.home()), *(f"/{name}/" for name in ("home", "root", "Users"))} - {"/"}
    pattern = re.compile(r"(?<![\w.}/-])(?:" + "|".join(re.escape(home.rstrip("/")) + "/" for home in sorted(homes)) + ")")
    assert [f"{name}: {match.group()}" for name, text in texts() if (match := pattern.search(text))] == []


# Addresses that may be named: our own and examples, specifications, licences and sources of works that we credit.
HOSTS = re.compile(
    r"storage|database|localhost|127\.0\.0\.1|host|(?:[\w-]+\.)*(?:example(?:\.\w+)?|invalid|test)|"
    r"www\.w3\.org|www\.apache\.org|www\.sitemaps\.org|cv\.iptc\.org|ns\.adobe\.com|creativecommons\.org|fsf\.org|www\.gnu\.org|"
    r"api\.openai\.com|api\.twilio\.com|"
    r"jsonfeed\.org|keepachangelog\.com|semver\.org|schema\.org|payment\.zarinpal\.com|(?:api|billing|checkout|docs|invoice|pay)\.stripe\.com|"
    r"\w|user|here|printer|2130706433\.?|\w+\.internal"
)
"""Hosts that may be named: those of standards and of services with a client here, and made-up ones without a public name."""


def test_only_allowed_hosts_are_named() -> None:
    result = {
        f"{name}: {host}"
        for name, text in texts()
        for host in re.findall(r"\bhttps?://(\w[\w.-]*)", text)
        if not HOSTS.fullmatch(host)
    }
    assert sorted(result) == []


def test_a_module_is_a_folder_a_schema_and_a_tests_folder(catalogue: Catalogue) -> None:
    folders = {name for name in MODULES if (SOURCE / name).is_dir()}
    schemas = {table.split(".")[0] for table in catalogue.columns} - {"core"}
    tests = {name for name in MODULES if any((ROOT / "tests" / name).rglob("test_*.py"))}
    assert folders == schemas == {item.name for item in LOADED}
    assert folders - tests == set(), "modules without tests"
    assert tests - folders == set(), "tests of no module"


def test_roles_sql_names_every_schema(catalogue: Catalogue) -> None:
    schemas = {table.split(".")[0] for table in catalogue.columns}
    grants = [line for line in (ROOT / "migrations/roles.sql").read_text("utf-8").splitlines() if line.startswith("grant")]
    assert grants
    for line in grants:
        assert schemas <= set(re.findall(r"\w+", line)), line
