"""Fetch the third-party files that pages are served with, at pinned versions, through `npm pack` and `pip download`.

Run `python scripts/vendor.py` after changing a version or using a new icon in a template; commit what
it writes. `--icons` makes only the icon sprite anew. Nothing is fetched when Vetrina runs.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "src" / "vetrina"
VENDOR = SOURCE / "web" / "static" / "vendor"
TESTS = SOURCE.parent.parent / "tests" / "vendor"


@dataclass(frozen=True)
class Package:
    """One npm package: what is taken from it, under which name, and why."""

    name: str
    version: str
    licence: str
    why: str
    files: dict[str, str]
    """Path inside the package -> path below `static/vendor`."""


def _css(*names: str) -> dict[str, str]:
    return {f"dist/css/{name}.min.css": f"bootstrap/{name}.min.css" for name in names}


def _fonts(*names: str) -> dict[str, str]:
    return {f"files/{name}.woff2": f"fonts/{name}.woff2" for name in names}


def _noto(*scripts: str, package: str = "noto-sans") -> dict[str, str]:
    # Two weights of their own: to make them of a variable font takes seconds for each receipt.
    return {
        f"files/{package}-{script}-{weight}-normal.woff2": f"fonts/noto-sans-{script}-{weight}-normal.woff2"
        for script in scripts
        for weight in (400, 700)
    }


LUCIDE = Package(
    "lucide-static",
    "1.62.0",
    "ISC",
    "icons; only those that templates use, as one sprite",
    {"LICENSE": "icons.LICENSE"},
)

PACKAGES = [
    Package(
        "bootstrap",
        "5.3.8",
        "MIT",
        "reset and utilities, also for right-to-left; its components are not taken: ours are lighter",
        {
            **_css("bootstrap-reboot", "bootstrap-reboot.rtl", "bootstrap-utilities", "bootstrap-utilities.rtl"),
            "LICENSE": "bootstrap/LICENSE",
        },
    ),
    Package(
        "htmx.org",
        "4.0.1",
        "0BSD",
        "swaps parts of a page (older entries, waiting payments) without a script of our own",
        {"dist/htmx.min.js": "htmx/htmx.min.js", "LICENSE": "htmx/LICENSE"},
    ),
    Package(
        "@fontsource-variable/bodoni-moda",
        "5.3.0",
        "OFL-1.1",
        "the serif of titles",
        {
            **_fonts("bodoni-moda-latin-wght-normal", "bodoni-moda-latin-ext-wght-normal"),
            "LICENSE": "fonts/bodoni-moda.LICENSE",
        },
    ),
    Package(
        "@fontsource-variable/figtree",
        "5.3.0",
        "OFL-1.1",
        "the sans of everything else",
        {
            **_fonts("figtree-latin-wght-normal", "figtree-latin-ext-wght-normal"),
            "LICENSE": "fonts/figtree.LICENSE",
        },
    ),
    Package(
        "@fontsource-variable/vazirmatn",
        "5.3.0",
        "OFL-1.1",
        "Persian and Arabic script; loaded only where such letters stand",
        {**_fonts("vazirmatn-arabic-wght-normal"), "LICENSE": "fonts/vazirmatn.LICENSE"},
    ),
    Package(
        "@fontsource/noto-sans",
        "5.3.0",
        "OFL-1.1",
        "receipts: letters that the two sans above lack (Vietnamese, Cyrillic, Greek, rare Latin, Devanagari)",
        {
            **_noto("latin", "latin-ext", "vietnamese", "cyrillic", "cyrillic-ext", "greek", "greek-ext", "devanagari"),
            "LICENSE": "fonts/noto-sans.LICENSE",
        },
    ),
    *(
        Package(
            f"@fontsource/noto-sans-{script}",
            "5.3.0",
            "OFL-1.1",
            f"receipts: {script.title()} names",
            {
                **_noto(script, package=f"noto-sans-{script}"),
                "LICENSE": f"fonts/noto-sans-{script}.LICENSE",
            },
        )
        for script in ("hebrew", "armenian", "georgian")
    ),
    LUCIDE,
]

DJANGO = "5.2.19"
DJANGO_SHA256 = "5965d974a5218a2b68a11dd1276434707f23886525c23f0598eccedaf4f4ca00"
"""The wheel whose list of common passwords is taken: 19,640 of them, in lower case, by how often they leak."""
PASSWORDS = SOURCE / "accounts" / "common_passwords"

AXE = Package(
    "axe-core",
    "4.14.1",
    "MPL-2.0",
    "judges the pages' accessibility, in tests only",
    {"axe.min.js": "axe/axe.min.js", "LICENSE": "axe/LICENSE"},
)


def unpack(package: Package, into: Path) -> Path:
    """Download one package with npm and return the folder that its files are in."""
    packed = subprocess.run(
        ["npm", "pack", "--silent", f"{package.name}@{package.version}"],
        cwd=into,
        check=True,
        capture_output=True,
        text=True,
    )
    archive = into / packed.stdout.strip().splitlines()[-1]
    folder = into / archive.stem
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / "package"


def fetch_passwords(into: Path) -> None:
    """Write the list of common passwords out of Django's wheel, with its licence. Raises SystemExit for another wheel."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(into), f"django=={DJANGO}"]
    subprocess.run(command, check=True)
    wheel = next(into.glob("django-*.whl"))
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != DJANGO_SHA256:
        raise SystemExit(f"{wheel.name} is not the wheel that was looked at.")
    with zipfile.ZipFile(wheel) as archive:
        lines = gzip.decompress(archive.read("django/contrib/auth/common-passwords.txt.gz"))
        PASSWORDS.mkdir(exist_ok=True)
        (PASSWORDS / "common_passwords.txt.gz").write_bytes(gzip.compress(lines, mtime=0))
        (PASSWORDS / "LICENSE").write_bytes(archive.read(f"django-{DJANGO}.dist-info/licenses/LICENSE"))
    (PASSWORDS / "README.md").write_text(
        f"# Common passwords\n\n`common_passwords.txt.gz` is the list of Django {DJANGO} (BSD-3-Clause), from its wheel with\n"
        f"the SHA-256 `{DJANGO_SHA256}`.\nWritten by `scripts/vendor.py`; do not edit.\n"
    )


def icons_used() -> list[str]:
    """The names of all icons that templates and scripts call for.

    Seen are `icon("name")`, `empty("name"`, `"icon": "name"`, and for names
    in variables a comment `icons: a b`.
    """
    result: set[str] = set()
    for template in [*SOURCE.glob("**/templates/**/*.html"), *SOURCE.glob("web/static/js/*.js")]:
        text = template.read_text()
        result.update(re.findall(r"""(?:\b(?:icon|empty)\(|"icon": )["']([a-z0-9-]+)["']""", text))
        result.update(re.findall(r"icons\.svg[^#\n]*#([a-z0-9-]+)\"", text))
        result.update(word for words in re.findall(r"\bicons: ([a-z0-9 -]+)", text) for word in words.split())
    return sorted(result)


def write_sprite(lucide: Path) -> int:
    """Write the icons in use as symbols of one SVG; return how many."""
    symbols: list[str] = []
    names = icons_used()
    for name in names:
        svg = (lucide / "icons" / f"{name}.svg").read_text()
        drawing = re.sub(r"\s*\n\s*", "", svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")])
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{drawing}</symbol>')
    body = "\n".join(symbols)
    (VENDOR / "icons.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg">\n{body}\n</svg>\n')
    return len(names)


def write_list(icon_count: int) -> None:
    """Write VENDORED.md: what is here, whose, and why."""
    lines = [
        "# Third-party files",
        "",
        "Written by `scripts/vendor.py`; do not edit. Each keeps its licence beside it.",
        "",
        "| package | version | licence | why |",
        "|---|---|---|---|",
    ]
    for package in PACKAGES:
        why = f"{package.why} ({icon_count} now)" if package is LUCIDE else package.why
        lines.append(f"| {package.name} | {package.version} | {package.licence} | {why} |")
    (VENDOR / "VENDORED.md").write_text("\n".join(lines) + "\n")
    files = sorted({target for package in PACKAGES for target in package.files.values()})
    sums = (f"{hashlib.sha256((VENDOR / target).read_bytes()).hexdigest()}  {target}\n" for target in files)
    (VENDOR / "SHA256SUMS").write_text("".join(sums))


def main() -> None:
    """Fetch everything, or with `--icons` only what the sprite is made of."""
    expected = [LUCIDE] if "--icons" in sys.argv[1:] else [*PACKAGES, AXE]
    with tempfile.TemporaryDirectory() as temporary:
        if expected != [LUCIDE]:
            fetch_passwords(Path(temporary))
        for package in expected:
            folder = unpack(package, Path(temporary))
            for source, target in package.files.items():
                place = (TESTS if package is AXE else VENDOR) / target
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes((folder / source).read_bytes())
            if package is LUCIDE:
                write_list(write_sprite(folder))
            print(f"{package.name} {package.version}")


if __name__ == "__main__":
    main()
