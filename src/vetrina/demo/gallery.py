"""The gallery: five artists of a new site, and its story: post, follow, like, comment, block."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import msgspec

from vetrina.demo import seed as seeding
from vetrina.demo import steps as work
from vetrina.demo.runner import CheckFailed, DemoRun

FILE = "demo_artists.json"


class DemoPost(msgspec.Struct, frozen=True):
    """A post of a demo artist: photographs, a style for one more picture, and the text."""

    title: str
    body: str
    photos: list[tuple[str, str]]
    style: str | None = None


class Artist(msgspec.Struct, frozen=True):
    """A demo artist."""

    name: str
    handle: str
    bio: str
    posts: list[DemoPost]


BASQUE = "Photographs: Aitzol Berasategi, CC BY 4.0."
ARTISTS = [
    Artist(
        "Mina Farahani",
        "mina",
        "Mountains, on foot.",
        [
            DemoPost(
                "Above the last village",
                f"Two mornings in the north. #mountains #autumn\n{BASQUE}",
                [("mountain_path", "A path between grey cliffs"), ("autumn_hill", "A meadow below a ridge in autumn")],
            ),
            DemoPost(
                "The stream behind the house", f"Moss, water, no wind. #forest\n{BASQUE}", [("stream", "A stream in a wood")]
            ),
        ],
    ),
    Artist(
        "Leo Brandt",
        "leo",
        "Things made of wood and skin.",
        [
            DemoPost(
                "Room with a drum",
                "It stands where the light is. #interior #drum\nPhotographs: Jakub Mede, CC BY 4.0.",
                [("room", "A room with a table and a drum"), ("drum", "A djembe on a beanbag")],
            ),
        ],
    ),
    Artist(
        "Sara Lindqvist",
        "sara",
        "Portraits of animals who did not ask.",
        [
            DemoPost("Friends at the window", f"They wait for the post. #dogs\n{BASQUE}", [("dogs", "Two dogs at a window")]),
            DemoPost(
                "Chelsea, twice",
                "Once as she is, once in gouache. #cat\nPhotograph: Stéfan van der Walt, CC0.",
                [("cat", "A cat that looks past the camera")],
                "gouache",
            ),
        ],
    ),
    Artist(
        "Tomás Reyes",
        "tomas",
        "Still lifes with coffee.",
        [
            DemoPost(
                "Pikolo",
                "First of the day. #coffee\nPhotograph: Rachel Michetti, CC0.",
                [("coffee", "An espresso cup from above")],
            ),
            DemoPost(
                "Seeds",
                "Before they go. #summer\nPhotograph: Clemens Engelhardt, CC0.",
                [("dandelion", "Dandelions against a low sun")],
                "watercolour",
            ),
        ],
    ),
]
COMMENTS = ["The light!", "How long did you wait for this?", "I would hang this above my desk.", "Lovely."]


def seed(demo: DemoRun, data: Path, owner: seeding.Login) -> None:
    """Create the artists with posts, follows, likes and comments, unless they exist. Raises CheckFailed."""
    file = data / FILE
    login = msgspec.json.decode(file.read_bytes(), type=seeding.Login) if file.exists() else None
    login = login or seeding.keep(file, seeding.Login("artists", secrets.token_urlsafe(9)))
    if login.finished:
        return
    tokens = {seeding.HANDLE: _sign_in(demo, owner.email, owner.password)}
    _post_generations(demo)
    for artist in ARTISTS:
        tokens[artist.handle] = _enter(demo, artist, login.password)
        if not demo.call("GET", "/posts")["items"]:
            for post in artist.posts:
                publish(demo, post)
    _meet(demo, list(tokens.values()))
    seeding.keep(file, seeding.Login(login.email, login.password, finished=True))


def publish(demo: DemoRun, post: DemoPost) -> dict[str, Any]:
    """Upload a post's photographs, generate its further picture, and publish it; return the post."""
    images: list[dict[str, str]] = []
    for photo, alt in post.photos:
        images.append({"file_id": work.upload(demo, photo, "model_image" if post.style else "post_image")["id"], "alt": alt})
    if post.style:
        wish = {
            "style_name": post.style,
            "model_files": [images[0]["file_id"]],
            "product_files": [],
            "parameters": {"size": 1280},
        }
        generation = work.generate(demo, wish)["id"]
        with demo.client.stream("GET", f"/api/v1/generations/{generation}/events", timeout=300) as stream:
            for _ in stream.iter_lines():
                pass
        results = demo.call("GET", f"/generations/{generation}")["result_files"]
        images = [*({"file_id": item["id"], "alt": post.title} for item in results), *images]
    body = {"title": post.title, "body": post.body, "images": images}
    draft = demo.call("POST", "/posts", json=body, expect=201)
    return demo.call("POST", f"/posts/{draft['id']}/publication", expect=201)


def run(demo: DemoRun) -> None:
    """Post three pictures, follow, like, comment, and block. Raises CheckFailed."""
    artist, reader = (work.register(demo, name=name) for name in ("Artist", "Reader"))
    with demo.step("An artist publishes three photographs as one post"):
        demo.sign_in(artist["access_token"])
        photos = [(name, f"A photograph of {name}") for name in ("coffee", "cat", "drum")]
        post = publish(demo, DemoPost("Three of mine", "Coffee, cat, drum. #demo", photos))
        path = f"/posts/{post['account_id']}/{post['id']}"
        demo.check(
            "the post has three pictures in order", [image["alt"] for image in post["images"]] == [alt for _, alt in photos]
        )
        demo.check("its tag was read from the text", post["tags"] == ["demo"], post["tags"])
    with demo.step("A reader follows, likes twice and comments"):
        demo.sign_in(reader["access_token"])
        demo.call("PUT", f"/following/{post['account_id']}")
        for _ in range(2):
            demo.call("PUT", f"{path}/like", expect=204)
        demo.call("POST", f"{path}/comments", json={"body": COMMENTS[0]}, expect=201)
        feed = demo.call("GET", "/feed")["items"]
        demo.check("the post is in the reader's feed", [item["id"] for item in feed] == [post["id"]])
        demo.check("two likes of one reader are one", feed[0]["like_count"] == 1, feed[0]["like_count"])
    with demo.step("The artist blocks the reader"):
        demo.sign_in(artist["access_token"])
        demo.call("PUT", f"/blocks/{reader['account']['id']}", expect=204)
        demo.sign_in(reader["access_token"])
        demo.call("GET", path, expect=404)
        demo.check("the reader's feed is empty", demo.call("GET", "/feed")["items"] == [])


def _sign_in(demo: DemoRun, email: str, password: str) -> str:
    answer = demo.call("POST", "/auth/session", json={"email": email, "password": password}, expect=201)
    demo.sign_in(answer["access_token"])
    return str(answer["access_token"])


def _enter(demo: DemoRun, artist: Artist, password: str) -> str:
    """Sign an artist in, registered and confirmed if need be; return the access token."""
    email = f"{artist.handle}@example.com"
    body = {"email": email, "password": password, "name": artist.name}
    status = demo.client.post("/api/v1/auth/registration", json=body).status_code
    if status not in {201, 409}:
        raise CheckFailed(f"the artist {artist.name} cannot be registered: {status}")
    token = _sign_in(demo, email, password)
    if status == 201:
        work.confirm(demo, email)
    demo.client.patch("/api/v1/me/profile", json={"handle": artist.handle, "bio": artist.bio})
    return token


def _post_generations(demo: DemoRun) -> None:
    """Publish the demo account's finished pictures, the oldest first."""
    if demo.call("GET", "/posts")["items"]:
        return
    items = demo.call("GET", "/generations", params={"limit": 100})["items"]
    finished = [item for item in reversed(items) if item["result_files"] and item["prompt"]]
    for item in finished[-4:]:
        images = [{"file_id": file["id"], "alt": item["prompt"]} for file in item["result_files"][:1]]
        body = {"title": item["prompt"], "body": f"#{item['style_name']}", "images": images}
        draft = demo.call("POST", "/posts", json=body, expect=201)
        demo.call("POST", f"/posts/{draft['id']}/publication", expect=201)


def _meet(demo: DemoRun, tokens: list[str]) -> None:
    """Follow, like and comment, each artist some posts of others."""
    posts = demo.call("GET", "/wall", params={"limit": 100})["items"]
    for number, token in enumerate(tokens):
        demo.sign_in(token)
        own = demo.call("GET", "/posts", params={"limit": 1})["items"]
        others = [post for post in posts if not own or post["account_id"] != own[0]["account_id"]]
        for place, post in enumerate(others):
            if (place + number) % 3:
                demo.call("PUT", f"/following/{post['account_id']}")
                demo.call("PUT", f"/posts/{post['account_id']}/{post['id']}/like", expect=204)
            if (place + number) % 5 == 0:
                comment = {"body": COMMENTS[(place + number) % len(COMMENTS)]}
                demo.call("POST", f"/posts/{post['account_id']}/{post['id']}/comments", json=comment, expect=201)
