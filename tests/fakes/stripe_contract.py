"""Check JSON objects against the annotated classes of the pinned Stripe SDK.

`violations(charge)` returns one line for every field that the class does not know, that has another type or value than the
annotation allows, or that is required and missing. In the SDK's annotations a field that is not Optional is always sent.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import operator
import sys
import types
from decimal import Decimal
from typing import Any, ClassVar, ForwardRef, Literal, TypeVar, Union, get_args, get_origin

import stripe

OBJECTS: dict[str, type[Any]] = {
    "balance_transaction": stripe.BalanceTransaction,
    "billing_portal.session": stripe.billing_portal.Session,
    "charge": stripe.Charge,
    "checkout.session": stripe.checkout.Session,
    "customer": stripe.Customer,
    "dispute": stripe.Dispute,
    "event": stripe.Event,
    "invoice": stripe.Invoice,
    "payment_intent": stripe.PaymentIntent,
    "price": stripe.Price,
    "product": stripe.Product,
    "refund": stripe.Refund,
    "subscription": stripe.Subscription,
}
"""Classes by the value of `object`."""


def violations(value: dict[str, Any]) -> list[str]:
    """Return where an object differs from the class that its `object` field names; an empty list when it conforms."""
    name = value.get("object")
    if name == "event":
        inner = value["data"]["object"]
        return [*_check(value, stripe.Event, "event"), *(f"event: {line}" for line in violations(inner))]
    if value.get("deleted") is True:
        return _deleted(value)
    if name not in OBJECTS:
        return [f"object {name!r} is not covered by the contract"]
    return _check(value, OBJECTS[name], str(name))


def _deleted(value: dict[str, Any]) -> list[str]:
    """A deleted object is a stub of three fields."""
    return [] if value.keys() == {"id", "object", "deleted"} else [f"a deleted {value.get('object')} has other fields: {value}"]


def _check(value: Any, expected: Any, path: str) -> list[str]:
    """The differences between a value and an annotation."""
    origin, arguments = get_origin(expected), get_args(expected)
    if isinstance(expected, TypeVar) or expected is Any:
        return []
    if origin in (Union, types.UnionType):
        return _check_union(value, arguments, path)
    if origin is Literal:
        return [] if value in arguments else [f"{path}: {value!r} is none of {', '.join(map(repr, arguments))}"]
    if origin is list:
        if not isinstance(value, list):
            return [f"{path}: a list is expected, not {value!r}"]
        return [line for number, item in enumerate(value) for line in _check(item, arguments[0], f"{path}[{number}]")]
    if origin is dict:
        if not isinstance(value, dict):
            return [f"{path}: an object is expected, not {value!r}"]
        return [line for key, item in value.items() for line in _check(item, arguments[1], f"{path}.{key}")]
    if origin is stripe.ListObject:
        return _check_list(value, arguments[0], path)
    if inspect.isclass(origin) and issubclass(origin, stripe.StripeObject):  # metadata: values of one type
        return _check(value, dict[str, arguments[0]], path)
    if inspect.isclass(expected) and issubclass(expected, stripe.StripeObject):
        return _check_object(value, expected, path)
    return _check_plain(value, expected, path)


def _check_plain(value: Any, expected: Any, path: str) -> list[str]:
    if expected is Decimal:
        good = isinstance(value, str) and value.replace(".", "").replace("-", "").isdigit()
    elif expected is float:
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
    else:
        good = isinstance(value, expected) and (expected is bool or not isinstance(value, bool))
    return [] if good else [f"{path}: {expected.__name__} is expected, not {value!r}"]


def _check_union(value: Any, members: tuple[Any, ...], path: str) -> list[str]:
    """No member fits: report the differences from the one that comes nearest."""
    if value is None:
        return [] if type(None) in members else [f"{path}: null is not allowed"]
    tried = [_check(value, member, path) for member in members if member is not type(None)]
    if isinstance(value, dict) and len(members) > 2:  # an expanded object is of the class that its `object` names
        named = [member for member in members if getattr(member, "OBJECT_NAME", None) == value.get("object")]
        tried = [_check(value, item, path) for item in named] or tried
    return min(tried, key=len)


def _check_list(value: Any, element: Any, path: str) -> list[str]:
    if not isinstance(value, dict) or value.get("object") != "list":
        return [f"{path}: a list object is expected, not {value!r}"]
    missing = [f"{path}.{name}: missing" for name in ("data", "has_more", "url") if name not in value]
    unknown = [f"{path}.{name}: unknown" for name in value.keys() - {"object", "data", "has_more", "url", "total_count"}]
    return [*missing, *unknown, *_check(value.get("data", []), list[element], f"{path}.data")]


def _check_object(value: Any, expected: type[Any], path: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: {expected.__qualname__} is expected, not {value!r}"]
    fields = annotations_of(expected)
    resource = hasattr(expected, "OBJECT_NAME")  # the SDK declares their `object` and `id` in other ways
    existing = {*fields, *(["object"] if resource else []), *(["id"] if "id" in _inherited(expected) else [])}
    lines = [f"{path}.{name}: unknown to {expected.__qualname__}" for name in sorted(value.keys() - existing)]
    for name, annotation in fields.items():
        if name in value:
            lines += _check(value[name], annotation, f"{path}.{name}")
        elif type(None) not in get_args(annotation):
            lines.append(f"{path}.{name}: missing")
    return lines


@functools.cache
def annotations_of(cls: type[Any]) -> dict[str, Any]:
    """A class's fields with their types, references to other classes resolved."""
    return {name: _resolve(item, cls) for name, item in cls.__annotations__.items() if get_origin(item) is not ClassVar}


@functools.cache
def _inherited(cls: type[Any]) -> frozenset[str]:
    return frozenset(name for base in cls.__mro__ for name in getattr(base, "__annotations__", {}))


def _resolve(annotation: Any, cls: type[Any]) -> Any:
    if isinstance(annotation, str):
        annotation = ForwardRef(annotation)
    if isinstance(annotation, ForwardRef):
        return _named(annotation.__forward_arg__, cls.__module__)
    arguments = get_args(annotation)
    if not arguments or get_origin(annotation) is Literal:
        return annotation
    resolved = tuple(_resolve(argument, cls) for argument in arguments)
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return functools.reduce(operator.or_, resolved)
    return origin[resolved[0] if len(resolved) == 1 else resolved]


@functools.cache
def _named(name: str, module: str) -> Any:
    """A class by the name that a module gives it; most are imported for type checkers alone."""
    namespace = {**vars(sys.modules[module])}
    for node in ast.walk(ast.parse(inspect.getsource(sys.modules[module]))):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if (alias.asname or alias.name) == name.partition(".")[0]:
                    namespace[name.partition(".")[0]] = getattr(importlib.import_module(node.module), alias.name)
    result = namespace[name.partition(".")[0]]
    for part in name.split(".")[1:]:
        result = getattr(result, part)
    return result
