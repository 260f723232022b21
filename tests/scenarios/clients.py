"""Clients that retry, record acknowledged requests, and check them later."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2

from tests.scenarios.process import Up
from vetrina.demo.photos import path_of


class Client:
    """One account over HTTP; calls are retried until they are answered."""

    def __init__(self, running: Up) -> None:
        self.http = httpx2.Client(base_url=running.url + "/api/v1", timeout=20)
        body = {"email": f"{uuid4().hex[:12]}@example.com", "password": "a long enough one"}
        created = self.again("POST", "/auth/registration", json=body)
        code, output = running.command("account", "confirm-email", body["email"])
        assert code == 0, output
        assert created.status_code == 201, created.text
        self.http.headers["Authorization"] = f"Bearer {created.json()['access_token']}"

    def again(self, method: str, path: str, *, seconds: float = 60, **arguments: Any) -> httpx2.Response:
        """Return the response, retrying while the site restarts."""
        until = time.monotonic() + seconds
        while True:
            try:
                answer = self.http.request(method, path, **arguments)
                if answer.status_code not in {500, 502, 503}:
                    return answer
                problem: object = answer.text
            except httpx2.HTTPError as error:
                problem = error
            if time.monotonic() > until:
                raise AssertionError(f"{method} {path}: {problem}")
            time.sleep(0.2)

    def upload(self) -> str:
        """Upload a picture and return its id."""
        files = {"file": ("coffee.jpg", path_of("coffee").read_bytes(), "image/jpeg")}
        answer = self.again("POST", "/files", data={"category": "product_image"}, files=files)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def buy(self, url: str) -> None:
        """Buy fifty tokens in the sandbox, retried with one key until it succeeds."""
        pack = next(item["id"] for item in self.again("GET", "/packs").json()["items"] if item["name"] == "tokens_50")
        headers = {"Idempotency-Key": uuid4().hex}
        payment = self.again("POST", "/payments", json={"pack_id": pack, "gateway": "sandbox"}, headers=headers).json()
        path = payment["checkout_url"].removeprefix(url)
        with httpx2.Client(base_url=url, timeout=20) as browser:
            for _ in range(200):
                try:
                    if browser.post(path, data={"outcome": "paid"}).status_code in {200, 303}:
                        return
                except httpx2.HTTPError:
                    pass
                time.sleep(0.2)
        raise AssertionError("the payment did not come through")

    def balance(self) -> tuple[int, int]:
        """Return (balance, held) of tokens."""
        for item in self.again("GET", "/wallet").json()["balances"]:
            if item["asset"] == "token":
                return item["balance"], item["held"]
        return 0, 0

    def ended(self, generation: str, *, seconds: float = 120) -> dict[str, Any]:
        """Return the generation once it has ended."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            body = self.again("GET", f"/generations/{generation}").json()
            if body["status"] in {"completed", "failed", "cancelled"}:
                return body
            time.sleep(0.2)
        raise AssertionError(f"{generation} did not end within {seconds} s: {body}")


@dataclass
class Load:
    """Starts generations from several accounts and records acknowledged ones."""

    running: Up
    accounts: int = 6
    patient: bool = False
    """Wait for more tokens instead of ending when there are none."""
    acknowledged: list[tuple[Client, str]] = field(default_factory=list[tuple[Client, str]])
    refused: int = 0

    def __post_init__(self) -> None:
        self.clients = [Client(self.running) for _ in range(self.accounts)]
        self.pictures = [client.upload() for client in self.clients]
        self.stop = threading.Event()
        self._news = threading.Condition()
        self._pool = ThreadPoolExecutor(self.accounts)
        self._runs: list[Any] = []

    def begin(self) -> None:
        """Start generations from every account, one after the other, until its tokens are used up."""
        self._runs = [self._pool.submit(self._run, *item) for item in zip(self.clients, self.pictures, strict=True)]
        for run in self._runs:
            run.add_done_callback(lambda _: self._notify())

    def wait(self, more: int, seconds: float = 60) -> None:
        """Wait until `more` further generations are acknowledged, or no account has tokens left.

        Raises AssertionError if it takes longer than `seconds`.
        """
        with self._news:
            expected = len(self.acknowledged) + more
            came = self._news.wait_for(
                lambda: len(self.acknowledged) >= expected or all(run.done() for run in self._runs), timeout=seconds
            )
        assert came, f"no {more} generations within {seconds} s"

    def end(self) -> None:
        """Stop, and fail if any client saw an unexpected response."""
        self.stop.set()
        for run in self._runs:
            run.result(90)

    def _notify(self) -> None:
        with self._news:
            self._news.notify_all()

    def _run(self, client: Client, picture: str) -> None:
        while not self.stop.is_set():
            body = {"style_name": "watercolour", "product_files": [picture], "parameters": {"size": 480}}
            answer = client.again("POST", "/generations", json=body, headers={"Idempotency-Key": uuid4().hex})
            if answer.status_code == 402:
                self.refused += 1
                if not self.patient:
                    return
                self.stop.wait(0.5)
                continue
            assert answer.status_code in {201, 409}, answer.text
            if answer.status_code == 201:
                self.acknowledged.append((client, answer.json()["id"]))
                self._notify()
