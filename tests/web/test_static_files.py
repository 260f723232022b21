"""Static files of the site and of rooms are served under one address."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server import Site
from vetrina.web import STATIC, assets


async def test_style_sheets_of_every_folder_are_served(site: Site) -> None:
    sheets = {name: path for name, path in assets.static_files().items() if name.startswith("css/")}
    with_sheets = {folder for folder in assets.static_folders() if any(folder.glob("css/*.css"))}
    assert {path.parents[1] for path in sheets.values()} == with_sheets and len(sheets) > 20
    for name, path in sheets.items():
        response = await site.client.get(assets.static(name))
        assert response.content == path.read_bytes() and "immutable" in response.headers["cache-control"], name
        assert response.headers["content-type"].startswith("text/css"), name
    assert (await site.client.get(assets.static("css/base.css").replace("css/base.css", "pages.py"))).status_code == 404


def test_path_in_two_folders_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "css").mkdir()
    (tmp_path / "css" / "base.css").touch()
    monkeypatch.setattr(assets, "static_folders", lambda: (STATIC, tmp_path))
    with pytest.raises(ValueError, match=r"two static files css/base\.css"):
        assets.static_files.__wrapped__()
