"""Pages leave a refusal's status and headers to `pages.render(..., refusal=)`, so that no page forgets Retry-After."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.rules.code import trees

SHARED = "core/"
"""Where refusals become responses."""


def refusal_names(function: ast.AST) -> set[str]:
    """Return names that hold a refusal in a function: those of `except ... as name`, and parameters annotated as one."""
    names = {node.name for node in ast.walk(function) if isinstance(node, ast.ExceptHandler) and node.name}
    arguments = [node for node in ast.walk(function) if isinstance(node, ast.arg) and node.annotation is not None]
    return names | {node.arg for node in arguments if "Refusal" in ast.unparse(node.annotation or node)}


def by_hand(tree: ast.Module) -> Iterator[str]:
    """Yield places of a file with pages that write a refusal's status or headers themselves."""
    if not any(isinstance(node, ast.Attribute) and ast.unparse(node) == "pages.render" for node in ast.walk(tree)):
        return
    refusals = refusal_names(tree)
    compared = {part for node in ast.walk(tree) if isinstance(node, ast.Compare) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and node not in compared  # to decide what the page says is fine
            and node.attr in {"status", "headers", "response_headers"}
            and isinstance(node.value, ast.Name)
            and node.value.id in refusals
        ):
            yield f"line {node.lineno}: {ast.unparse(node)}"
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".headers.update"):
            yield f"line {node.lineno}: {ast.unparse(node.func)}"
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pages.render":
            status = [keyword.value for keyword in node.keywords if keyword.arg == "status"]
            if status and not isinstance(status[0], ast.Constant) and ast.unparse(status[0]) != "status":
                yield f"line {node.lineno}: status={ast.unparse(status[0])}"


def test_pages_leave_status_and_headers_to_render() -> None:
    assert {path: places for path, tree in trees().items() if not path.startswith(SHARED) and (places := [*by_hand(tree)])} == {}


@pytest.mark.parametrize(
    "line",
    [
        "pages.render(request, 'x.html', status=error.status if error else 200)",
        "pages.render(request, 'x.html', status=422 if error else 200)",
        "pages.render(request, 'x.html').headers.update(error.headers if error else {})",
        "pages.render(request, 'x.html', errors=error.response_headers())",
    ],
)
def test_pages_with_handwritten_status_are_reported(line: str) -> None:
    assert [*by_hand(ast.parse(f"def page(request: Request, error: Refusal | None): return {line}"))]
    assert not [*by_hand(ast.parse("def page(request, error: Refusal | None): return pages.render(request, 'x', refusal=error)"))]
