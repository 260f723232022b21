"""Keep of Bootstrap's utilities what templates and scripts use: `python -m scripts.utilities` writes `css/utilities*.css`.

The whole file is 85 KB, of which pages use a few dozen rules. Run it when a template uses another utility; a test says so.
"""

from __future__ import annotations

import re
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src" / "vetrina"
STATIC = SOURCE / "web" / "static"
FILES = {"": "bootstrap-utilities.min.css", ".rtl": "bootstrap-utilities.rtl.min.css"}
_RULE = re.compile(r"([^{}@]+)\{([^{}]*)\}")
_MEDIA = re.compile(r"@media[^{]+\{(?:[^{}]+\{[^{}]*\})*\}")


def words() -> set[str]:
    """Return every word of templates and scripts: a class is one of them."""
    paths = [*SOURCE.rglob("templates/**/*.html"), *(STATIC / "js").glob("*.js")]
    return {word for path in paths for word in re.findall(r"[\w-]+", path.read_text("utf-8"))}


def pruned(direction: str = "") -> str:
    """Return the rules of the classes in use; `direction` is "" or ".rtl"."""
    text = (STATIC / "vendor" / "bootstrap" / FILES[direction]).read_text("utf-8")
    rules = text.partition("*/")[2]
    rules = re.sub(r"/\*.*?\*/", "", rules.replace('@charset "UTF-8";', ""), flags=re.DOTALL)
    used = words()
    result: list[str] = []
    position = 0
    for media in _MEDIA.finditer(rules):
        result += _used_rules(rules[position : media.start()], used)
        head, _, body = media.group().partition("{")
        if inside := _used_rules(body[:-1], used):
            result.append(f"{head}{{{''.join(inside)}}}")
        position = media.end()
    result += _used_rules(rules[position:], used)
    head = "/* Bootstrap's utilities (MIT, vendor/bootstrap/LICENSE), written by scripts/utilities.py. */"
    return "\n".join([head, *result, ""])


def _used_rules(rules: str, used: set[str]) -> list[str]:
    result: list[str] = []
    for selectors, body in _RULE.findall(rules):
        matching = [selector for selector in selectors.split(",") if set(re.findall(r"\.([\w-]+)", selector)) & used]
        if matching:
            result.append(f"{','.join(matching)}{{{body}}}")
    return result


def main() -> None:
    """Write both files."""
    for direction in FILES:
        path = STATIC / "css" / f"utilities{direction}.css"
        path.write_text(pruned(direction), "utf-8")
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
