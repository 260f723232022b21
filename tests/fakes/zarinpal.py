"""A ZarinPal v4 on loopback: request, the bank's page, verify, inquiry, unverified, reverse.

The shapes follow the public documentation of ZarinPal's payment gateway: what went well comes as `data` with a code, what
did not as `errors` with a negative one and HTTP 4xx; amounts are in the currency that was asked for. Verifying needs the
very amount (-50), a payment that the bank took (-51) and this merchant's authority (-53, -54); a second time it says 101.

    with ZarinPalFake() as fake:
        fake.often("verify", 0.5, Fault(seconds=2))       # half of the answers never come in time
        fake.bank(authority, paid=True)                   # the buyer pays and closes the browser
"""

from __future__ import annotations

import argparse
import asyncio
import html
import random
import signal
import threading
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from tests.fakes import Fake

MERCHANT = "1344b5d4-0048-11e8-94db-005056a205be"
_DICE = random.SystemRandom()
LEAST = 10_000
"""Rials; less is refused."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A failing call: a delay, an error, or both.

    `seconds` pass after the work was done (or, with `done=False`, without doing it), then `status` and `body` are returned,
    if given, otherwise the ordinary response.
    """

    seconds: float = 0
    done: bool = True
    status: int | None = None
    body: bytes = b"<html>Bad Gateway</html>"


@dataclass
class Session:
    """One payment at ZarinPal."""

    authority: str
    merchant: str
    amount: int
    currency: str
    callback_url: str
    description: str
    state: str = "IN_BANK"
    ref_id: int = 0
    card_pan: str = "502229******5995"
    at: str = field(default_factory=lambda: datetime.now().strftime("%Y-%m-%d %H:%M:%S"))


class ZarinPalFake(Fake):
    """ZarinPal for one merchant."""

    def __init__(self, merchant: str = MERCHANT, port: int = 0) -> None:
        self.merchant = merchant
        self.sessions: dict[str, Session] = {}
        self.calls: Counter[str] = Counter()
        self.codes: list[int] = []
        """Codes that verify returned, in order."""
        self._next: dict[str, deque[Fault]] = defaultdict(deque)
        self._often: dict[str, tuple[float, Fault]] = {}
        self._dice = random.Random(7)
        self._lock = threading.Lock()
        super().__init__(port)

    def next(self, call: str, *faults: Fault) -> None:
        """Script failures of the next calls of this kind (request, verify, inquiry, unVerified, reverse)."""
        self._next[call].extend(faults)

    def often(self, call: str, share: float, fault: Fault) -> None:
        """Fail this share of the calls of a kind."""
        self._often[call] = (share, fault)

    def well(self) -> None:
        """Remove all scripted failures."""
        self._next.clear()
        self._often.clear()

    def bank(self, authority: str, *, paid: bool) -> Session:
        """Pay or decline on the bank's page, without the redirect back."""
        session = self.sessions[authority]
        if session.state in {"IN_BANK", "FAILED"}:
            session.state = "PAID" if paid else "FAILED"
        return session

    def handlers(self) -> list[Any]:
        """Return the routes."""

        @post("/pg/v4/payment/{call:str}", status_code=200)
        async def api(request: Request[Any, Any, Any], call: FromPath[str]) -> Response[Any]:
            name = call.removesuffix(".json")
            self.calls[name] += 1
            body = await request.json()
            fault = self._fault(name)
            work = getattr(self, f"_{name.lower()}")
            status, answer = work(body) if fault is None or fault.done else (200, None)
            if fault is not None:
                await asyncio.sleep(fault.seconds)
                if fault.status is not None or answer is None:
                    return Response(fault.body, status_code=fault.status or 504, media_type="text/html")
            return Response(answer, status_code=status)

        @get("/pg/StartPay/{authority:str}")
        async def page(authority: FromPath[str]) -> Response[str]:
            session = self.sessions.get(authority)
            if session is None:
                return Response("<h1>No such payment</h1>", status_code=404, media_type="text/html")
            text = _PAGE.format(sum=f"{session.amount:,}", what=html.escape(session.description))
            return Response(text, media_type="text/html")

        @post("/pg/StartPay/{authority:str}")
        async def press(request: Request[Any, Any, Any], authority: FromPath[str]) -> Redirect:
            paid = (await request.form()).get("outcome") == "paid"
            session = self.bank(authority, paid=paid)
            query = urlencode({"Authority": authority, "Status": "OK" if paid else "NOK"})
            return Redirect(f"{session.callback_url}?{query}", status_code=303)

        return [api, page, press]

    def _fault(self, call: str) -> Fault | None:
        if self._next[call]:
            return self._next[call].popleft()
        share, fault = self._often.get(call, (0.0, None))
        return fault if fault is not None and self._dice.random() < share else None

    def _request(self, body: dict[str, Any]) -> tuple[int, Any]:
        if body.get("merchant_id") != self.merchant:
            return _refused(-10, "Terminal is not valid, please check merchant_id or ip address.")
        amount, currency = body.get("amount"), body.get("currency", "IRR")
        if not isinstance(amount, int) or amount < (LEAST if currency == "IRR" else LEAST // 10):
            return _refused(-9, "The input params invalid, validation error.", amount="The amount must be at least 10000.")
        if currency not in {"IRR", "IRT"} or not body.get("callback_url") or not body.get("description"):
            return _refused(-9, "The input params invalid, validation error.")
        authority = f"A{_DICE.randrange(10**35):035d}"  # random: the fake is restarted beside the same database
        self.sessions[authority] = Session(authority, self.merchant, amount, currency, body["callback_url"], body["description"])
        return _well({"code": 100, "message": "Success", "authority": authority, "fee_type": "Merchant", "fee": 100})

    def _verify(self, body: dict[str, Any]) -> tuple[int, Any]:
        status, answer = self._verified(body)
        self.codes.append((answer["data"] or answer["errors"])["code"])
        return status, answer

    def _verified(self, body: dict[str, Any]) -> tuple[int, Any]:
        session = self.sessions.get(str(body.get("authority")))
        if session is None:
            return _refused(-54, "Invalid authority.")
        if body.get("merchant_id") != session.merchant:
            return _refused(-53, "Session is not this merchant_id session.")
        if body.get("amount") != session.amount:
            return _refused(-50, "Session is not valid, amounts values is not the same.")
        with self._lock:
            if session.state not in {"PAID", "VERIFIED"}:
                return _refused(-51, "Session is not valid, session is not active paid try.")
            first = session.state == "PAID"
            if first:
                session.state, session.ref_id = "VERIFIED", _DICE.randrange(10**11, 10**12)
        return _well({
            "code": 100 if first else 101, "message": "Paid" if first else "Verified", "ref_id": session.ref_id,
            "card_pan": session.card_pan, "card_hash": "1EBE3EBEBE35C7EC0F8D6EE4F2F859107A87822CA179BC9528767EA7B5489B69",
            "fee_type": "Merchant", "fee": 100,
        })  # fmt: skip

    def _inquiry(self, body: dict[str, Any]) -> tuple[int, Any]:
        session = self.sessions.get(str(body.get("authority")))
        if session is None or body.get("merchant_id") != session.merchant:
            return _refused(-54, "Invalid authority.")
        return _well({"code": 100, "message": "Success", "status": session.state})

    def _unverified(self, body: dict[str, Any]) -> tuple[int, Any]:
        if body.get("merchant_id") != self.merchant:
            return _refused(-10, "Terminal is not valid, please check merchant_id or ip address.")
        waiting = [session for session in self.sessions.values() if session.state == "PAID"][-100:]
        listed = [
            {"authority": item.authority, "amount": item.amount, "callback_url": item.callback_url,
             "referer": "", "date": item.at}
            for item in waiting
        ]  # fmt: skip
        return _well({"code": 100, "message": "Success", "authorities": listed})

    def _reverse(self, body: dict[str, Any]) -> tuple[int, Any]:
        session = self.sessions.get(str(body.get("authority")))
        if session is None or body.get("merchant_id") != session.merchant:
            return _refused(-54, "Invalid authority.")
        if session.state not in {"PAID", "VERIFIED"}:
            return _refused(-61, "Session is not in success status.")
        session.state = "REVERSED"
        return _well({"code": 100, "message": "Reversed"})


def _well(data: dict[str, Any]) -> tuple[int, Any]:
    return 200, {"data": data, "errors": []}


def _refused(code: int, message: str, **validations: str) -> tuple[int, Any]:
    errors = {"code": code, "message": message, "validations": [validations] if validations else []}
    return 401 if code == -10 else 422, {"data": [], "errors": errors}


_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>ZarinPal (a test)</title><main style="font: 1.1rem sans-serif; max-width: 26rem; margin: 10vh auto">
<h1>ZarinPal, a test</h1><p>{what}</p><p><b>{sum} rials</b></p>
<form method="post"><button name="outcome" value="paid">Pay</button> <button name="outcome" value="left">Cancel</button></form>
</main></html>"""


def main() -> None:
    """`python -m tests.fakes.zarinpal --port 12112`: until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.zarinpal", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--merchant", default=MERCHANT)
    requested = parser.parse_args()
    with ZarinPalFake(requested.merchant, requested.port) as fake:
        print(f"ZarinPal, imitated: {fake.url}", flush=True)
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main()
