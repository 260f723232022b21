"""Parameters: defaults filled in, everything else that does not fit refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vetrina.clients.engines.base import BadParameter, Parameter, Style, validate
from vetrina.clients.engines.builtin.catalogue import BY_NAME, STYLES

SWEEP = BY_NAME["studio_sweep"]


def fitting(each: Parameter) -> st.SearchStrategy[Any]:
    """Values that the parameter takes."""
    match each.kind:
        case "number":
            return st.floats(each.minimum, each.maximum)
        case "integer":
            return st.integers(int(each.minimum or 0), int(each.maximum or 0))
        case "choice":
            return st.sampled_from(each.choices)
        case "boolean":
            return st.booleans()
        case "colour":
            return st.from_regex(r"\A#[0-9a-fA-F]{6}\Z")


any_value = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=9),
    st.lists(st.integers(), max_size=2),
)


@st.composite
def styles_and_parameters(draw: st.DrawFn) -> tuple[Style, dict[str, Any]]:
    style = draw(st.sampled_from(STYLES))
    select = draw(st.lists(st.sampled_from(style.parameters), unique_by=lambda each: each.name))
    return style, {item.name: draw(fitting(item)) for item in select}


@given(styles_and_parameters())
def test_valid_values_pass_and_defaults_are_added(asked: tuple[Style, dict[str, Any]]):
    style, given_ = asked
    full = validate(style, given_)
    assert list(full) == [parameter.name for parameter in style.parameters]
    for parameter in style.parameters:
        value = full[parameter.name]
        expected = given_.get(parameter.name, parameter.default)
        assert value == (expected.lower() if parameter.kind == "colour" else expected)
        assert isinstance(value, {"number": float, "integer": int, "boolean": bool}.get(parameter.kind, str))
    assert validate(style, full) == full


@given(st.sampled_from(STYLES), st.data(), any_value)
def test_any_value_is_converted_or_refused_by_name(style: Style, data: st.DataObject, value: Any):
    parameter = data.draw(st.sampled_from(style.parameters))
    try:
        taken = validate(style, {parameter.name: value})[parameter.name]
    except BadParameter as bad:
        assert bad.name == parameter.name and parameter.title in bad.message  # noqa: PT017
    else:
        assert taken == value or str(taken) == str(value).lower()
        if parameter.kind in ("number", "integer"):
            assert parameter.minimum is not None and parameter.maximum is not None
            assert parameter.minimum <= float(taken) <= parameter.maximum and not isinstance(value, bool)


@given(st.text(max_size=20).filter(lambda name: name not in {parameter.name for parameter in SWEEP.parameters}))
def test_undeclared_parameters_are_refused(name: str):
    with pytest.raises(BadParameter) as refused:
        validate(SWEEP, {name: 1})
    assert refused.value.name == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", 479), ("size", 100_000), ("size", 10**400), ("size", 900.5), ("size", "900"), ("size", True),
        ("shadow", float("nan")), ("shadow", float("inf")), ("shadow", -0.01), ("shadow", None),
        ("light", "moon"), ("light", 1), ("colour_from_product", 1), ("backdrop", "red"),
        ("backdrop", "#12345"), ("backdrop", "#１２３４５６"),
    ],
)  # fmt: skip
def test_invalid_values_are_refused(name: str, value: Any):
    with pytest.raises(BadParameter):
        validate(SWEEP, {name: value})


def test_integer_may_be_a_float():
    assert validate(SWEEP, {"size": 960.0})["size"] == 960


def test_bounds_are_optional():
    free = Style(
        name="s",
        title="S",
        description="",
        engine="e",
        parameters=[Parameter(name="n", title="N", kind="number", default=1.0, minimum=0)],
    )
    assert validate(free, {"n": 1e9})["n"] == 1e9
    with pytest.raises(BadParameter, match="between 0 and any number"):
        validate(free, {"n": -1})
