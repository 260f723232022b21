"""An account with finished work that shows what a new site can do. Created over HTTP, as a user would."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import msgspec
from rich.progress import BarColumn, Progress, TextColumn

from vetrina.demo import steps as work
from vetrina.demo.runner import CheckFailed, DemoRun

EMAIL = "demo@example.com"
HANDLE = "ada"
FILE = "demo.json"


class DemoPicture(msgspec.Struct, frozen=True):
    """A picture of the demo account: style, photographs, settings; whether it is public."""

    style: str
    product: str | None = None
    model: str | None = None
    prompt: str = ""
    parameters: dict[str, Any] = {}
    public: bool = True


# The last ones are first on the start page.
WORK = [
    DemoPicture("hatching", model="brushes", public=False),
    DemoPicture("charcoal", product="drum"),
    DemoPicture("pointillism", model="dandelion"),
    DemoPicture("gouache", model="mountain_path"),
    DemoPicture("stipple", product="coffee"),
    DemoPicture("pastel", model="autumn_hill"),
    DemoPicture("engraving", model="astronaut", parameters={"ink": "indigo"}),
    DemoPicture("linocut", model="dogs"),
    DemoPicture("pencil", model="cat", prompt="Chelsea, listening"),
    DemoPicture("oil", model="stream", prompt="A stream in the wood"),
    DemoPicture("watercolour", product="fig_bowl", prompt="A fig, ripe"),
    DemoPicture("studio_composite", product="wooden_bird", model="autumn_hill", prompt="A wooden bird, out of doors"),
]


class Login(msgspec.Struct):
    """Credentials of the demo account."""

    email: str
    password: str
    finished: bool = False


def login(data: Path) -> Login:
    """Return the demo account's credentials, created once per data folder and stored in it (mode 0600)."""
    file = data / FILE
    if file.exists():
        return msgspec.json.decode(file.read_bytes(), type=Login)
    return keep(file, Login(EMAIL, secrets.token_urlsafe(9)))


def seed(demo: DemoRun, data: Path) -> Login:
    """Create the demo account and its pictures, unless they exist. Raises CheckFailed."""
    account = login(data)
    if account.finished:
        return account
    answer = demo.client.post(
        "/api/v1/auth/registration", json={"email": account.email, "password": account.password, "name": "Ada"}
    )
    if answer.status_code == 409:
        answer = demo.client.post("/api/v1/auth/session", json={"email": account.email, "password": account.password})
    if answer.status_code != 201:
        raise CheckFailed(f"the demo account cannot be created: {answer.status_code} {answer.text[:200]}")
    demo.sign_in(answer.json()["access_token"])
    work.confirm(demo, account.email)
    _name(demo)
    _work(demo)
    return keep(data / FILE, Login(account.email, account.password, finished=True))


def _name(demo: DemoRun) -> None:
    """Give the account a public profile; another one may have taken its first choice of a handle."""
    for handle in (HANDLE, f"{HANDLE}{secrets.token_hex(2)}"):
        answer = demo.client.patch("/api/v1/me/profile", json={"handle": handle, "bio": "Drawings and prints after photographs."})
        if answer.status_code == 200:
            return
    raise CheckFailed(f"the demo account has no handle: {answer.status_code} {answer.text[:200]}")


def _work(demo: DemoRun) -> None:
    there = {item["prompt"] or item["style_name"] for item in demo.call("GET", "/generations", params={"limit": 100})["items"]}
    if not there:
        work.buy(demo, "tokens_50")
    styles = {style["name"]: style for style in demo.call("GET", "/styles")["items"]}
    missing = [item for item in WORK if item.style in styles and (item.prompt or item.style) not in there]
    ids: dict[tuple[str, str], str] = {}
    for picture in missing:
        for photo, category in ((picture.product, "product_image"), (picture.model, "model_image")):
            if photo and (photo, category) not in ids:
                ids[photo, category] = work.upload(demo, photo, category)["id"]
    started = [(item, _begin(demo, item, ids)) for item in missing]
    columns = [TextColumn("{task.description}"), BarColumn(bar_width=32), TextColumn("{task.completed:.0f} of {task.total:.0f}")]
    with Progress(*columns, console=demo.console, transient=True) as bar:
        task = bar.add_task("The demo account's pictures are being made", total=len(started))
        for picture, generation in started:
            with demo.client.stream("GET", f"/api/v1/generations/{generation}/events", timeout=300) as stream:
                for _ in stream.iter_lines():
                    pass
            done = demo.call("GET", f"/generations/{generation}")
            if done["status"] != "completed":
                raise CheckFailed(f"the picture in {picture.style} ended as {done['status']}: {done['error_message']}")
            if picture.public:
                demo.call("POST", f"/generations/{generation}/sharing", json={"is_public": True})
            bar.advance(task)


def _begin(demo: DemoRun, picture: DemoPicture, ids: dict[tuple[str, str], str]) -> str:
    wish = {
        "style_name": picture.style,
        "prompt": picture.prompt,
        "product_files": [ids[picture.product, "product_image"]] if picture.product else [],
        "model_files": [ids[picture.model, "model_image"]] if picture.model else [],
        "parameters": {"size": 1280, **picture.parameters},
        "seed": 20061,
    }
    return work.generate(demo, wish, key=f"demo {picture.prompt or picture.style}")["id"]


def keep(file: Path, account: Login) -> Login:
    """Store credentials in a file that only its owner can read (mode 0600)."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(msgspec.json.encode(account))
    os.replace(draft, file)
    return account
