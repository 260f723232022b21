"""Conversations: those of the five artists of a new site, and the story: write, answer, hide, delete."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from vetrina.demo import gallery
from vetrina.demo import seed as seeding
from vetrina.demo import steps as work
from vetrina.demo.runner import CheckFailed, DemoRun

TALKS: list[tuple[list[str], str, list[tuple[str, str]]]] = [
    (
        ["mina", "ada"],
        "",
        [
            ("mina", "I like how the stream looks in oil. Which size was it?"),
            ("ada", "1280 on the long side. The texture needs the pixels."),
            ("mina", "May I try it with the path above the village?"),
            ("ada", "Please do, and show me."),
        ],
    ),
    (
        ["tomas", "ada"],
        "",
        [("tomas", "Do you print the fig on paper, too?"), ("ada", "Not yet. In spring, I hope."), ("tomas", "Keep one for me.")],
    ),
    (
        ["leo", "ada", "sara", "tomas"],
        "Exhibition in June",
        [
            ("leo", "I have the room for two weeks in June. Who is in?"),
            ("sara", "I am, with the dogs."),
            ("tomas", "Coffee is on me."),
            ("ada", "Wonderful. I bring the prints."),
            ("leo", "Then we meet on Friday at six."),
        ],
    ),
    (["sara", "leo"], "", [("sara", "Is the drum yours?"), ("leo", "It is. Come and play it.")]),
]
"""Handles, the name of a group, and the messages with their senders."""


def seed(demo: DemoRun, data: Path, owner: seeding.Login) -> None:
    """Create the artists' conversations, unless there are some. Raises CheckFailed."""
    login = msgspec.json.decode((data / gallery.FILE).read_bytes(), type=seeding.Login)
    tokens: dict[str, str] = {}
    ids: dict[str, str] = {}
    for handle in (seeding.HANDLE, *(artist.handle for artist in gallery.ARTISTS)):
        email, password = (owner.email, owner.password) if handle == seeding.HANDLE else (f"{handle}@example.com", login.password)
        answer = demo.call("POST", "/auth/session", json={"email": email, "password": password}, expect=201)
        tokens[handle], ids[handle] = answer["access_token"], answer["account"]["id"]
    demo.sign_in(tokens[seeding.HANDLE])
    if demo.call("GET", "/conversations")["items"]:
        return
    for people, title, lines in TALKS:
        for first, second in zip(
            people, people[1:] + people[:1], strict=True
        ):  # they follow each other, so that no request is needed
            demo.sign_in(tokens[first])
            demo.call("PUT", f"/following/{ids[second]}")
        demo.sign_in(tokens[people[0]])
        body = {"account_ids": [ids[handle] for handle in people[1:]], "is_group": len(people) > 2, "title": title}
        path = f"/conversations/{demo.call('POST', '/conversations', json=body, expect=201)['id']}"
        for handle, text in lines:
            demo.sign_in(tokens[handle])
            demo.call("POST", f"{path}/messages", json={"body": text}, expect=201)


def run(demo: DemoRun) -> None:
    """Write to an artist about a post, answer, hide, delete. Raises CheckFailed."""
    artist, reader = (work.register(demo, name=name) for name in ("Artist", "Reader"))
    with demo.step("A reader asks an artist about a post"):
        demo.sign_in(artist["access_token"])
        post = gallery.publish(demo, gallery.DemoPost("A cup", "Before work. #demo", [("coffee", "A cup of coffee")]))
        demo.sign_in(reader["access_token"])
        path = f"/conversations/{_started(demo, artist)['id']}"
        message = {"body": "Is it for sale?", "subject": {"kind": "post", "id": f"{post['account_id']}/{post['id']}"}}
        headers = {"Idempotency-Key": "demo"}
        sent = [demo.call("POST", f"{path}/messages", json=message, headers=headers, expect=201) for _ in range(2)]
        demo.check("sent twice with one key, it is one message", sent[0]["position"] == sent[1]["position"] == 1)
        demo.check("it names the post", sent[0]["subject"]["title"] == "A cup", sent[0]["subject"])
    with demo.step("The artist gets a request, accepts by answering, and the reader hides the conversation"):
        demo.sign_in(artist["access_token"])
        requests = demo.call("GET", "/conversations", params={"box": "requests"})["items"]
        demo.check("the request is there", [item["preview"] for item in requests] == ["Is it for sale?"])
        demo.call("POST", f"{path}/messages", json={"body": "It is."}, expect=201)
        demo.sign_in(reader["access_token"])
        demo.check("one message is unread", demo.call("GET", path)["unread"] == 1)
        demo.call("PUT", f"{path}/hiding", expect=204)
        demo.check("it is off the list", demo.call("GET", "/conversations")["items"] == [])
    with demo.step("It returns with the next message; someone else finds nothing"):
        demo.sign_in(artist["access_token"])
        demo.call("POST", f"{path}/messages", json={"body": "Shall I send it?"}, expect=201)
        demo.sign_in(reader["access_token"])
        items = demo.call("GET", "/conversations")["items"]
        demo.check("it is back", [item["preview"] for item in items] == ["Shall I send it?"])
        other = work.register(demo, name="Other")
        demo.sign_in(other["access_token"])
        for end in ("", "/messages"):
            demo.call("GET", path + end, expect=404)
    with demo.step("Both delete it: it is gone for good"):
        for account in (artist, reader):
            demo.sign_in(account["access_token"])
            demo.call("DELETE", path, expect=204)
        if demo.client.get(f"/api/v1{path}").status_code != 404:
            raise CheckFailed("the conversation is still there")


def _started(demo: DemoRun, other: dict[str, Any]) -> dict[str, Any]:
    return demo.call("POST", "/conversations", json={"account_ids": [other["account"]["id"]]}, expect=201)
