"""Fakes of external services on this machine for `vetrina up --with-fakes`, from the checkout's tests."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

import vetrina
from vetrina.core.processes.supervisor import CannotRun, Child

ROOT = Path(vetrina.__file__).resolve().parents[2]
"""The checkout that contains this package, if there is one."""
MERCHANT = "1344b5d4-0048-11e8-94db-005056a205be"
"""Merchant id that the ZarinPal fake accepts."""
CARD = "4242 4242 4242 4242"


@dataclass(frozen=True)
class Fakes:
    """The processes, the settings that the site needs for them, and messages for the operator."""

    children: list[Child]
    environment: dict[str, str]
    words: str


def fakes(site: str) -> Fakes:
    """Start fakes of Stripe and ZarinPal for the site at this address. Raises CannotRun outside a checkout."""
    if not (ROOT / "tests" / "fakes" / "stripe" / "__main__.py").is_file():
        raise CannotRun(
            "--with-fakes needs Vetrina's source checkout: the imitated services stand in its folder tests/fakes, which is not "
            f"in {ROOT}. Without it, buy through the test checkout, or set STRIPE_API_KEY to a test key of Stripe's."
        )
    stripe, zarinpal = _free_ports(2)
    key, secret = f"sk_test_{secrets.token_hex(12)}", f"whsec_{secrets.token_hex(16)}"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}

    def child(name: str, module: str, *arguments: str) -> Child:
        return Child(name, [sys.executable, "-m", f"tests.fakes.{module}", *arguments], environment, stop_timeout=3.0)

    return Fakes(
        [
            child("stripe, imitated", "stripe", f"--port={stripe}", f"--webhook={site}/webhooks/stripe", f"--key={key}",
                  f"--secret={secret}"),
            child("zarinpal, imitated", "zarinpal", f"--port={zarinpal}", f"--merchant={MERCHANT}"),
        ],
        {
            "STRIPE_API_KEY": key,
            "STRIPE_API_BASE": f"http://127.0.0.1:{stripe}",
            "STRIPE_WEBHOOK_SECRET": secret,
            "ZARINPAL_MERCHANT_ID": MERCHANT,
            "ZARINPAL_API_BASE": f"http://127.0.0.1:{zarinpal}",
            "VETRINA_SANDBOX": "on",
            "VETRINA_SANDBOX_BESIDE_GATEWAYS": "on",  # the fake gateways take no money either
        },
        f"Imitated payments: buy at {site}/wallet/buy with the card {CARD}; no money moves.\n"
        f"The bank's desk, for refunds, disputes and renewals: http://127.0.0.1:{stripe}/",
    )  # fmt: skip


def _free_ports(count: int) -> list[int]:
    """Return distinct free ports."""
    held = [socket.socket() for _ in range(count)]
    try:
        for item in held:
            item.bind(("127.0.0.1", 0))
        return [item.getsockname()[1] for item in held]
    finally:
        for item in held:
            item.close()
