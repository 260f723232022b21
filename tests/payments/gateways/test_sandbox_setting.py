"""The sandbox gateway is on in development only, and refused beside a gateway that takes money."""

from __future__ import annotations

import pytest

from vetrina.core.settings.environment import BadSetting, read


@pytest.mark.parametrize(
    ("environment", "sandbox"),
    [
        ({}, False),
        ({"VETRINA_DEVELOPMENT": "1"}, True),
        ({"VETRINA_DEVELOPMENT": "1", "VETRINA_SANDBOX": "off"}, False),
        ({"VETRINA_SANDBOX": "on"}, True),
        ({"STRIPE_API_KEY": "sk_live_1"}, False),
        ({"STRIPE_API_KEY": "sk_live_1", "VETRINA_SANDBOX": "on", "VETRINA_SANDBOX_BESIDE_GATEWAYS": "on"}, True),
    ],
)
def test_the_sandbox_is_on_in_development_only(environment: dict[str, str], sandbox: bool) -> None:
    assert read(environment).sandbox is sandbox


@pytest.mark.parametrize("gateway", ["STRIPE_API_KEY", "ZARINPAL_MERCHANT_ID"])
@pytest.mark.parametrize("switch", ["VETRINA_SANDBOX", "VETRINA_DEVELOPMENT"])
def test_the_sandbox_is_refused_beside_a_gateway(gateway: str, switch: str) -> None:
    with pytest.raises(BadSetting, match=f"{gateway}.*VETRINA_SANDBOX_BESIDE_GATEWAYS"):
        read({gateway: "x", switch: "on"})
