"""Templates cannot compare an id with its text; forms and API requests have the same types."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints
from uuid import UUID

import pytest

from vetrina.core.database.ids import new_id
from vetrina.studio.composer.form import GenerationForm
from vetrina.studio.generations.actions import GenerationRequest
from vetrina.studio.model import Status
from vetrina.web import environment
from vetrina.web.comparisons import MixedComparison

ID = new_id()


def rendered(source: str, **context: Any) -> str:
    """Render a template's source."""
    return environment().from_string(source).render(context)


@pytest.mark.parametrize(
    ("source", "context"),
    [
        ("{{ file.id in chosen }}", {"file": {"id": ID}, "chosen": [str(ID)]}),
        ("{{ a in chosen }}", {"a": str(ID), "chosen": {new_id(), ID}}),
        ("{{ a not in chosen }}", {"a": ID, "chosen": {str(ID): 1}}),
        ("{% if a == b %}x{% endif %}", {"a": ID, "b": str(ID)}),
        ("{{ ' checked' if a != b }}", {"a": str(ID), "b": ID}),
        ("{{ a == '' }}", {"a": ID}),
        ("{{ rows|selectattr('id', 'equalto', a)|list }}", {"rows": [{"id": ID}], "a": str(ID)}),
        ("{{ rows|selectattr('id', 'in', a)|list }}", {"rows": [{"id": ID}], "a": [str(ID)]}),
        ("{% macro m(a, b) %}{{ a == b }}{% endmacro %}{{ m(x, x|string) }}", {"x": ID}),
    ],
)
def test_comparing_an_id_with_text_is_an_error(source: str, context: dict[str, Any]) -> None:
    with pytest.raises(MixedComparison, match="use one type for an id"):
        rendered(source, **context)


def test_other_comparisons_are_those_of_python() -> None:
    values = {"a": ID, "b": UUID(str(ID)), "n": 3, "none": None, "state": Status.PENDING, "items": [None, ID], "word": "pending"}
    for source, expected in {
        "a == b": True, "a != b": False, "a in items": True, "a not in items": False, "a == none": False,
        "a in nothing": False,
        "n == 3": True, "1 < n < 5": True, "1 < n == 4": False, "'x' == 'x'": True, "state == 'pending'": True,
        "word in state": True, "'pend' in word": True, "n in [1, 2]": False, "'a' in {'a': 1}": True, "none == none": True,
    }.items():  # fmt: skip
        assert rendered("{{ " + source + " }}", **values, nothing=[]) == str(expected), source
    assert rendered("{{ rows|selectattr('n', 'equalto', 2)|list|length }}", rows=[{"n": 1}, {"n": 2}]) == "1"


def test_form_and_api_request_have_the_same_types() -> None:
    form, request = get_type_hints(GenerationForm), get_type_hints(GenerationRequest)
    names = {"style": "style_name"} | {name: name for name in form if name in request}
    assert set(names.values()) == set(request)
    differing = {name for name, other in names.items() if form[name] != request[other]}
    # What was typed is shown again: a seed that is no number, and an asset that is not offered.
    assert differing == {"seed", "asset"}
    assert form["seed"] == int | str and int in get_args(request["seed"])
    assert form["product_files"] == form["model_files"] == list[UUID]
