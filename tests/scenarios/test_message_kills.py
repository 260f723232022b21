"""Web processes are killed while messages are sent: each acknowledged one is there, once."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from uuid import uuid4

from tests.scenarios.clients import Client
from tests.scenarios.process import up

SENDERS = 4


def test_a_killed_web_process_loses_no_acknowledged_message(tmp_path: Path) -> None:
    with up(tmp_path, VETRINA_WEB_PROCESSES="2", VETRINA_WORKER_PROCESSES="1") as running:
        code, output = running.command("settings", "set", "limits.messages", '{"count": 0, "seconds": 60}')
        assert code == 0, output
        ada, leo = Client(running), Client(running)
        accounts = [client.again("GET", "/me").json()["id"] for client in (ada, leo)]
        for client, other in ((ada, accounts[1]), (leo, accounts[0])):
            assert client.again("PUT", f"/following/{other}").status_code == 200
        path = f"/conversations/{ada.again('POST', '/conversations', json={'account_ids': [accounts[1]]}).json()['id']}"
        acknowledged: dict[str, int] = {}
        ended = threading.Event()

        def write(client: Client) -> None:
            while not ended.is_set():
                body, headers = uuid4().hex, {"Idempotency-Key": uuid4().hex}
                answer = client.again("POST", f"{path}/messages", json={"body": body}, headers=headers)
                assert answer.status_code == 201, answer.text
                acknowledged[body] = answer.json()["position"]

        threads = [threading.Thread(target=write, args=[(ada, leo)[number % 2]]) for number in range(SENDERS)]
        for thread in threads:
            thread.start()
        for _ in range(3):
            time.sleep(2)
            running.kill("vetrina serve")
        running.wait(20)
        time.sleep(2)
        ended.set()
        for thread in threads:
            thread.join(60)
        stored: list[tuple[int, str]] = []
        cursor = None
        while True:
            query = {"limit": 100, **({"cursor": cursor} if cursor else {})}
            page = leo.again("GET", f"{path}/messages", params=query).json()
            stored += [(item["position"], item["body"]) for item in page["items"]]
            if (cursor := page["next_cursor"]) is None:
                break
        assert len(acknowledged) > 20
        assert [position for position, _ in reversed(stored)] == list(range(1, len(stored) + 1))
        assert {(position, body) for body, position in acknowledged.items()} == set(stored), "each acknowledged one once"
