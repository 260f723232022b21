"""Albums of two artists of a new site, with photographs under free licences."""

from __future__ import annotations

from pathlib import Path

import msgspec

from vetrina.demo import gallery
from vetrina.demo import seed as seeding
from vetrina.demo import steps as work
from vetrina.demo.runner import DemoRun

ALBUMS: dict[str, tuple[str, list[tuple[str, str, list[str]]]]] = {
    "mina": (
        "Mina Farahani Photography",
        [
            (
                "High ground",
                f"Four walks above the tree line.\n{gallery.BASQUE}",
                ["mountain_path", "autumn_hill", "stream", "dandelion"],
            ),
            ("Forest and water", gallery.BASQUE, ["stream", "dandelion"]),
        ],
    ),
    "leo": (
        "Brandt Woodwork",
        [
            (
                "Things in the workshop",
                "Photographs: Jakub Mede and others, CC BY 4.0.",
                ["wooden_bird", "drum", "room", "fig_bowl"],
            )
        ],
    ),
}
"""Business names, and albums with their names, descriptions and photographs, by handle."""


def seed(demo: DemoRun, data: Path) -> None:
    """Create the albums, unless there are some. Raises CheckFailed."""
    login = msgspec.json.decode((data / gallery.FILE).read_bytes(), type=seeding.Login)
    for handle, (business, albums) in ALBUMS.items():
        session = {"email": f"{handle}@example.com", "password": login.password}
        demo.sign_in(demo.call("POST", "/auth/session", json=session, expect=201)["access_token"])
        if demo.call("GET", "/albums")["items"]:
            continue
        demo.call("PATCH", "/me/profile", json={"business": {"business_name": business}})
        photos = dict.fromkeys(photo for _, _, names in albums for photo in names)
        files = {photo: work.upload(demo, photo, "album_image")["id"] for photo in photos}
        for name, description, names in albums:
            path = f"/albums/{demo.call('POST', '/albums', json={'name': name, 'description': description}, expect=201)['id']}"
            demo.call("POST", f"{path}/files", json={"file_ids": [files[photo] for photo in names]}, expect=201)
            demo.call("PATCH", path, json={"is_public": True, "with_pictures": True})
