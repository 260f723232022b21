"""Stripe on loopback: its API as the official SDK calls it, pages to pay on, signed webhooks.

    with StripeFake() as fake:
        fake.listen(site.url + "/webhooks/stripe", "whsec_...")
        session = fake.all("checkout/sessions")[-1]
        fake.pay(session["id"])                       # what the buyer does; or a browser on session["url"]
        fake.dispute(session["payment_intent"])       # what the world does
        fake.post.settle()                            # every delivery has been made

`python -m tests.fakes.stripe` runs it as a process of its own; then its desk at / does what the world does.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs

from litestar import HttpMethod, Request, Response, get, post, route
from litestar.params import FromPath
from litestar.response import Redirect

from tests.fakes import Fake
from tests.fakes.stripe import pages
from tests.fakes.stripe.checkout import DISPUTED, FAILS_LATER, GOOD, SLOW, Shop
from tests.fakes.stripe.protocol import Call, Kept, Wrong, nested, new_id, page
from tests.fakes.stripe.store import NAMES, VERSION
from tests.fakes.stripe.webhooks import Endpoint, Mischief, signed

__all__ = ["DISPUTED", "FAILS_LATER", "GOOD", "KEY", "SECRET", "SLOW", "Fault", "Mischief", "StripeFake", "signed"]

KEY = "sk_test_fake"
SECRET = "whsec_fake"
Web = Request[Any, Any, Any]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A failing call: a delay, an error, or both.

    `seconds` pass after the work was done (or, with `done=False`, without doing it), then a `status` with a Stripe error is
    returned, if given, otherwise the ordinary response.
    """

    seconds: float = 0
    done: bool = True
    status: int | None = None


class StripeFake(Shop, Fake):
    """One Stripe account. `calls` records all requests."""

    def __init__(self, port: int = 0, *, key: str = KEY) -> None:
        Shop.__init__(self)
        self.key = key
        self.calls: list[Call] = []
        self._kept: dict[str, Kept] = {}
        self._next: dict[str, deque[Fault]] = defaultdict(deque)
        self._writes: dict[tuple[str, str], Callable[[Call], dict[str, Any]]] = {
            ("POST", "customers"): self.create_customer,
            ("POST", "products"): self.create_product,
            ("POST", "prices"): self.create_price,
            ("POST", "checkout/sessions"): self.create_session,
            ("POST", "checkout/sessions/*/expire"): self.expire_session,
            ("POST", "refunds"): self.create_refund,
            ("POST", "disputes/*/close"): self.close_dispute,
            ("POST", "billing_portal/sessions"): self.create_portal,
            ("POST", "subscriptions/*"): self.update_subscription,
            ("DELETE", "subscriptions/*"): self.cancel_subscription,
        }
        Fake.__init__(self, port)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.post.close()
        super().__exit__(kind, error, trace)

    def listen(self, url: str, secret: str = SECRET, *types: str) -> None:
        """Send events to this address."""
        self.post.endpoints.append(Endpoint(url, secret, list(types)))

    def next(self, kind: str, *faults: Fault) -> None:
        """Script failures of the next calls that create this kind (refunds, checkout/sessions...)."""
        self._next[kind].extend(faults)

    def next_calls_succeed(self) -> None:
        """Remove scripted failures that no call has met yet."""
        self._next.clear()

    def counted(self) -> Counter[str]:
        """Return how often each call was made, ids written as *."""
        return Counter(f"{call.method} {self._shape(call.path)}" for call in self.calls)

    def handlers(self) -> list[Any]:
        """Return the routes."""

        @route("/v1/{rest:path}", http_method=[HttpMethod.GET, HttpMethod.POST, HttpMethod.DELETE])
        async def api(request: Web) -> Response[bytes]:
            text = (await request.body()).decode() or request.scope["query_string"].decode()
            headers = {name.lower(): value for name, value in request.headers.items()}
            path = request.scope["path"]
            try:
                requested = Call(str(request.method), path, nested(text), headers)
                self.calls.append(requested)
                fault = self._fault(requested)
                if fault and not fault.done:
                    await asyncio.sleep(fault.seconds)
                    raise Wrong(fault.status or 500, "Sorry! There was an error.", kind="api_error")
                status, body = self._answer(requested)
                if fault:
                    await asyncio.sleep(fault.seconds)
                    if fault.status:
                        raise Wrong(fault.status, "Sorry! There was an error.", kind="api_error")
            except Wrong as wrong:
                status, body = wrong.status, json.dumps({"error": wrong.error}).encode()
            return Response(body, status_code=status, media_type="application/json", headers={"Request-Id": new_id("req")})

        @get("/c/pay/{name:str}")
        async def checkout(name: FromPath[str]) -> Response[str]:
            return self._checkout(name)

        @post("/c/pay/{name:str}", status_code=200)
        async def press(request: Web, name: FromPath[str]) -> Response[Any]:
            card = (parse_qs((await request.body()).decode()).get("card") or [""])[0]
            try:
                refused = await asyncio.to_thread(self.pay, name, card)
            except Wrong:
                return self._checkout(name)
            if refused:
                return self._checkout(name, refused)
            session = self.get("checkout/sessions", name)
            return Redirect(session["success_url"].replace("{CHECKOUT_SESSION_ID}", name), status_code=303)

        @get("/p/session/{name:str}")
        async def portal(name: FromPath[str]) -> Response[str]:
            created = self.portals[name]
            own = [item for item in self.all("subscriptions") if item["customer"] == created["customer"]]
            return Response(pages.portal(created, own), media_type="text/html")

        @get("/")
        async def desk() -> Response[str]:
            text = pages.desk(self.all("charges"), self.all("disputes"), self.all("subscriptions"))
            return Response(text, media_type="text/html")

        @get("/favicon.ico", status_code=204)
        async def icon() -> None:
            return None

        @post("/_fake/{act:str}", status_code=200)
        async def world(request: Web, act: FromPath[str]) -> Response[Any]:
            form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
            try:
                created = await asyncio.to_thread(self._act, act, form)
            except Wrong as wrong:
                return Response({"error": wrong.error}, status_code=wrong.status)
            if "text/html" in request.headers.get("accept", ""):
                return Redirect("/", status_code=303)
            return Response(created)

        return [api, checkout, press, portal, desk, icon, world]

    def _act(self, act: str, form: dict[str, str]) -> Any:
        """Simulate an external event: refund, refund-fails, dispute, won, lost, renew, renew-unpaid, retry, mischief."""
        name = form.get("id", "")
        amount = int(form["amount"]) if form.get("amount") else None
        match act:
            case "refund":
                return self.refund(name, amount)
            case "refund-fails":
                return self.refund_fails(name)
            case "dispute":
                return self.dispute(name, amount)
            case "won" | "lost":
                return self.decide(name, act)
            case "renew" | "renew-unpaid":
                return self.renew(name, pays=act == "renew")
            case "retry":
                return self.retry(name, pays=form.get("pays") != "no")
            case "mischief":
                self.post.faults = Mischief(int(form.get("copies", 1)), float(form.get("delay", 0)), float(form.get("drop", 0)))
                return {}
            case _:
                raise Wrong(404, f"There is no {act}")

    def _checkout(self, name: str, wrong: str | None = None) -> Response[str]:
        session = self.kinds["checkout/sessions"].get(name)
        if session is None:
            return Response("<h1>No such checkout</h1>", status_code=404, media_type="text/html")
        if session["status"] != "open":
            return Response(pages.over(session), media_type="text/html")
        price, _ = self.inside[name]["lines"][0]
        title = self.get("products", self.get("prices", price)["product"])["name"]
        return Response(pages.pay(session, title, wrong), media_type="text/html")

    def _fault(self, call: Call) -> Fault | None:
        waiting = self._next[self._shape(call.path).split("/*")[0].removeprefix("/v1/")]
        return waiting.popleft() if waiting and call.method != "GET" else None

    def _answer(self, call: Call) -> tuple[int, bytes]:
        """Return the response to a call, computed once per idempotency key."""
        if call.headers.get("authorization") != f"Bearer {self.key}":
            raise Wrong(401, "Invalid API Key provided.", kind="invalid_request_error")
        if call.headers.get("stripe-version", VERSION) != VERSION:  # without one it is the account's own
            raise Wrong(400, f"Invalid Stripe API version: {call.headers.get('stripe-version')}")
        with self.lock:
            if call.method == "GET":
                return 200, json.dumps(self._read(call)).encode()
            response = self._kept.get(call.key or "")
            if response is not None:
                if response.call != call.mark():
                    words = "Keys for idempotent requests can only be used with the same parameters they were first used with."
                    raise Wrong(400, words, kind="idempotency_error")
                return response.status, response.body or b""
            self.request = {"id": new_id("req"), "idempotency_key": call.key}
            try:
                status, body = 200, json.dumps(self._write(call)).encode()
            except Wrong as wrong:
                if wrong.status == 404:
                    raise
                status, body = wrong.status, json.dumps({"error": wrong.error}).encode()
            finally:
                self.request = {"id": None, "idempotency_key": None}
            if call.key:
                self._kept[call.key] = Kept(call.mark(), status, body)
            return status, body

    def _write(self, call: Call) -> dict[str, Any]:
        work = self._writes.get((call.method, self._shape(call.path).removeprefix("/v1/")))
        if work is None:
            raise Wrong(404, f"Unrecognized request URL ({call.method}: {call.path}).")
        return work(call)

    def _read(self, call: Call) -> dict[str, Any]:
        path = call.path.removeprefix("/v1/")
        if path in NAMES:
            return page(self.all(path), call)
        kind, _, name = path.rpartition("/")
        if kind not in NAMES:
            raise Wrong(404, f"Unrecognized request URL (GET: {call.path}).")
        document = json.loads(json.dumps(self.get(kind, name)))
        for expected in call.params.get("expand") or []:
            self._expand(document, expected.split("."))
        return document

    def _expand(self, place: dict[str, Any], names: list[str]) -> None:
        first, *rest = names
        kinds = {"payment_intent": "payment_intents", "latest_charge": "charges", "charge": "charges", "customer": "customers",
                 "subscription": "subscriptions", "invoice": "invoices", "latest_invoice": "invoices"}  # fmt: skip
        if isinstance(place.get(first), str) and first in kinds:
            place[first] = json.loads(json.dumps(self.get(kinds[first], place[first])))
        if rest and isinstance(place.get(first), dict):
            self._expand(place[first], rest)

    def _shape(self, path: str) -> str:
        """Return a path with its id written as *."""
        parts = path.removeprefix("/v1/").split("/")
        wide = 2 if "/".join(parts[:2]) in {"checkout/sessions", "billing_portal/sessions"} else 1
        return "/v1/" + "/".join(["/".join(parts[:wide]), *(["*"] if len(parts) > wide else []), *parts[wide + 1 :]])
