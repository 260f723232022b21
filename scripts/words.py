"""Count words of the old private style, and lower the ratchet in tests/rules/words.json.

    python -m scripts.words

Counts are kept by area (a module, a folder of tests, the documents) and word, so that files may move inside an area. This
script only lowers them: a count that has grown is printed and the script fails.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BASELINE = ROOT / "tests" / "rules" / "words.json"

IDENTIFIERS = frozenset(
    """
    tell tells told hear hears heard said say spoken heed heeded anew lapse lapsed shelf shelves door doors hang hung house
    mischief patience goods till knob mine theirs asked kept wanted shown standing whose who known found made each it begun fresh
    """.split()  # noqa: SIM905  # a list of words reads better
)
"""Words that no new function, class, argument or variable is made of."""
PROSE = frozenset(
    """
    tell tells told hear hears heard heed anew lapse lapses lapsed shelf hung whoever whosoever somebody nobody anybody everybody
    oneself mischief poetry hither thereby
    """.split()  # noqa: SIM905
)
"""Words that no docstring, template or document uses."""
LEFT_OUT = (
    "CHANGELOG.md",
    "STYLE.md",
    "scripts/words.py",
    "tests/rules/test_words.py",
    "tests/vendor/",
    "src/vetrina/web/static/vendor/",
)
"""Where old names are quoted, and other people's files."""


def area(path: str) -> str:
    """Return what a file is counted with: `src/vetrina/wallet`, `tests/wallet`, `docs`..."""
    parts = path.split("/")
    if len(parts) == 1:
        return "."
    depth = 3 if parts[0] == "src" else 2 if parts[0] == "tests" else 1
    return "/".join(parts[: min(depth, len(parts) - 1)])


def counts(files: Iterator[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Return how often each word of the lists is used, by area."""
    found: dict[str, Counter[str]] = {}
    for path, text in files:
        used = words(path, text)
        if used:
            found.setdefault(area(path), Counter()).update(used)
    return {name: dict(sorted(counter.items())) for name, counter in sorted(found.items())}


def words(path: str, text: str) -> Counter[str]:
    """Return the words of the lists that one file uses: `name:told` in identifiers, `prose:told` in text."""
    if path.endswith(".py"):
        tree = ast.parse(text)
        names = [part for name in _names(tree) for part in re.findall(r"[A-Z]?[a-z]+", name)]
        prose = "\n".join(ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, _DOCUMENTED))
    elif path.endswith(".html"):
        names, prose = [], re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}|<[^>]*>", " ", text, flags=re.S)
    else:
        names, prose = [], re.sub(r"```.*?```|`[^`]*`", " ", text, flags=re.S)
    used = Counter(f"name:{name.lower()}" for name in names if name.lower() in IDENTIFIERS)
    used.update(f"prose:{word}" for word in re.findall(r"[a-z]+", prose.lower()) if word in PROSE)
    return used


_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def _names(tree: ast.AST) -> Iterator[str]:
    """Names that a file gives: of functions, classes, arguments and variables."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def tracked() -> Iterator[tuple[str, str]]:
    """Return our own Python files, templates and documents: path and text."""
    listed = subprocess.run(["git", "ls-files", "*.py", "*.html", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    for path in sorted(listed.stdout.splitlines()):
        if not path.startswith(LEFT_OUT) and (ROOT / path).exists():
            yield path, (ROOT / path).read_text(encoding="utf-8")


def grown(now: dict[str, dict[str, int]], before: dict[str, dict[str, int]]) -> list[str]:
    """Return where a word is used more often than the ratchet allows."""
    return [
        f"{name}: {word} {count} times, {before.get(name, {}).get(word, 0)} before"
        for name, used in now.items()
        for word, count in used.items()
        if count > before.get(name, {}).get(word, 0)
    ]


def main() -> int:
    """Lower the ratchet to what is there now; the exit code is 1 where something has grown."""
    before = json.loads(BASELINE.read_text(encoding="utf-8")) if BASELINE.exists() else None
    now = counts(tracked())
    if before is not None and (more := grown(now, before)):
        print("\n".join(more))
        return 1
    BASELINE.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    print(f"{sum(sum(used.values()) for used in now.values())} uses are left")
    return 0


if __name__ == "__main__":
    sys.exit(main())
