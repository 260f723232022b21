"""Random and invalid requests to every operation of the API, as each kind of caller: schemathesis, from our OpenAPI document."""

from __future__ import annotations

import asyncio
import os
from typing import Any, TypeAlias

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Err
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import content_type_conformance, ignored_auth, status_code_conformance

from tests.accounts.auth_helpers import unlimited
from tests.factories import Make
from tests.server import Site
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles.actions import Role

CASES = int(os.environ.get("VETRINA_TORTURE_CASES", "100000"))
Operation: TypeAlias = APIOperation[Any, Any, Any, Any]
Counts: TypeAlias = dict[GenerationMode, int]
"""How many valid and invalid requests to send."""
CALLERS = ("anonymous", "user", "vendor", "operator")
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, ignored_auth]
LIMITS = (
    *("api", "sign_in", "codes_address", "codes_service", "codes_target"),
    *("registrations", "uploads", "generations", "reports"),
)


ENDLESS = {"/api/v1/generations/events"}
"""A stream without an end; tests/studio/test_live.py reads it."""


def operations(url: str) -> list[Operation]:
    """Return every operation of the site's OpenAPI document. Raises InvalidSchema."""
    operations: list[Operation] = []
    for result in schemathesis.openapi.from_url(f"{url}/api/docs/openapi.json").get_all_operations():
        if isinstance(result, Err):
            raise result.err()
        if (operation := result.ok()).path not in ENDLESS:
            operations.append(operation)
    return operations


def send_cases(operation: Operation, headers: dict[str, str], counts: Counts, *, repeatable: bool) -> int:
    """Send generated requests to an operation and return how many were sent. Raises on a fault."""
    sent = 0
    for mode, count in counts.items():
        if not count:
            continue

        @settings(
            max_examples=count,
            deadline=None,
            database=None,
            derandomize=repeatable,
            phases=[Phase.generate],
            suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large],
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def send(case: Case) -> None:
            nonlocal sent
            try:
                response = case.call(headers=headers, timeout=60)
            except ValueError:  # the client cannot send it, such as a Host that is "["
                reject()
            case.validate_response(response, checks=CHECKS, headers=headers, transport_kwargs={"timeout": 60})
            sent += 1

        try:
            send()
        except Unsatisfiable:  # an operation without parameters has no invalid request
            assert mode is GenerationMode.NEGATIVE
    return sent


async def headers_of(make: Make, caller: str) -> dict[str, str]:
    """Return the headers of a new account, whose token is valid and which earlier requests did not change."""
    if caller == "anonymous":
        return {}
    account = await make.account(kind="vendor" if caller == "vendor" else "user", client="program")
    if caller == "operator":
        async with make.services.db.tx() as tx:
            await roles.grant(tx, account.id, Role.SUPERUSER)
    return account.headers


async def fuzz(site: Site, make: Make, share: int, *, rotate: bool) -> int:
    """Send `share` cases to every operation as every caller, and return how many were sent. Raises on a fault.

    With `rotate` each operation gets the same cases in every run, from one of the callers.
    """
    await unlimited(site.services, *LIMITS)
    described = await asyncio.to_thread(operations, site.url)
    sent = 0
    for place, operation in enumerate(described):
        for caller in [CALLERS[place % len(CALLERS)]] if rotate else CALLERS:
            headers = await headers_of(make, caller)
            counts = {GenerationMode.POSITIVE: share - share // 2, GenerationMode.NEGATIVE: share // 2}
            sent += await asyncio.to_thread(send_cases, operation, headers, counts, repeatable=rotate)
    return sent


async def test_every_operation_withstands_generated_requests(site: Site, make: Make) -> None:
    """9: a few hundred requests, the same in every run."""
    assert await fuzz(site, make, 3, rotate=True) > 250


@pytest.mark.torture
async def test_100_000_generated_requests(site: Site, make: Make) -> None:
    """9: no 5xx, every status documented, no ignored authentication; VETRINA_TORTURE_CASES requests."""
    number = len(await asyncio.to_thread(operations, site.url))
    sent = await fuzz(site, make, max(2, CASES // (number * len(CALLERS))), rotate=False)
    print(f"{sent} generated requests")
