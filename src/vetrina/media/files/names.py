"""Normalisation of file names and tags; names of downloads."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath
from urllib.parse import quote

from vetrina.media.model import InvalidTag, TooManyTags

NAME_LIMIT = 255
TAG_LIMIT = 40
"""The largest length of a tag in characters."""
TAGS_LIMIT = 30
_SUFFIXES = {"image/jpeg": (".jpg", ".jpeg"), "image/png": (".png",), "image/webp": (".webp",)}


def clean_name(name: str, default: str = "picture") -> str:
    """Return the last component of a file name without characters that displays or file systems mishandle.

    Control and formatting characters are removed (a reversed "gpj.exe" cannot pose as "exe.jpg"). The result is cut to
    255 characters, keeping its extension; an empty result is replaced by `default`.
    """
    last = re.split(r"[/\\]", name)[-1]
    plain = "".join(item for item in unicodedata.normalize("NFC", last) if unicodedata.category(item)[0] != "C")
    plain = " ".join(plain.split()).strip(". ")
    if len(plain) > NAME_LIMIT:
        suffix = PurePosixPath(plain).suffix[:12]
        plain = plain[: NAME_LIMIT - len(suffix)].rstrip() + suffix
    return plain or default


def tidy_tags(tags: Iterable[str]) -> list[str]:
    """Trim tags and remove duplicates. Raises InvalidTag, TooManyTags (422)."""
    tidy: dict[str, str] = {}
    for tag in tags:
        plain = " ".join(tag.split())
        if not 1 <= len(plain) <= TAG_LIMIT or "," in plain or any(unicodedata.category(item)[0] == "C" for item in plain):
            raise InvalidTag
        tidy.setdefault(plain.casefold(), plain)
    if len(tidy) > TAGS_LIMIT:
        raise TooManyTags
    return list(tidy.values())


def alt_text(file_name: str) -> str:
    """Return alternative text from a file name: "fig_bowl.jpg" gives "fig bowl"."""
    return " ".join(re.split(r"[\s_]+", PurePosixPath(file_name).stem)).strip() or file_name


def content_disposition(file_name: str, mime: str) -> str:
    """Return the Content-Disposition (RFC 6266) that saves a file under its name, with the extension of its content type."""
    endings = _SUFFIXES.get(mime, ("",))
    named = file_name
    if not file_name.lower().endswith(endings):
        path = PurePosixPath(file_name)
        has_extension = path.suffix.lower() in {
            ".jpg",
            ".jpeg",
            ".png",
            ".webp",
            ".avif",
            ".gif",
            ".heic",
            ".tif",
            ".tiff",
            ".bmp",
        }
        named = (path.stem if has_extension else file_name) + endings[0]
    plain = re.sub(r'[^ -~]|["\\%]', "_", named)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(named, safe='')}"
