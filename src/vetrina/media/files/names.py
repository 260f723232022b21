"""Names and tags as people give them, made fit to be kept; names of downloads."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath
from urllib.parse import quote

from vetrina.media.model import BadTag, TooManyTags

NAME_LIMIT = 255
TAG_LIMIT = 40
"""Characters of one tag."""
TAGS_LIMIT = 30
_SUFFIXES = {"image/jpeg": (".jpg", ".jpeg"), "image/png": (".png",), "image/webp": (".webp",)}


def cleaned(name: str, otherwise: str = "picture") -> str:
    """The last part of a name that a person or a program gave, without what a screen or a disk would trip over.

    Control and formatting characters go (a reversed "gpj.exe" cannot pose as "exe.jpg"). What is left is cut to
    255 characters, its ending kept; nothing left is `otherwise`.
    """
    last = re.split(r"[/\\]", name)[-1]
    plain = "".join(each for each in unicodedata.normalize("NFC", last) if unicodedata.category(each)[0] != "C")
    plain = " ".join(plain.split()).strip(". ")
    if len(plain) > NAME_LIMIT:
        suffix = PurePosixPath(plain).suffix[:12]
        plain = plain[: NAME_LIMIT - len(suffix)].rstrip() + suffix
    return plain or otherwise


def tidy_tags(tags: Iterable[str]) -> list[str]:
    """Tags without spaces around them, each once. Raises BadTag, TooManyTags (422)."""
    tidy: dict[str, str] = {}
    for tag in tags:
        plain = " ".join(tag.split())
        if not 1 <= len(plain) <= TAG_LIMIT or "," in plain or any(unicodedata.category(each)[0] == "C" for each in plain):
            raise BadTag
        tidy.setdefault(plain.casefold(), plain)
    if len(tidy) > TAGS_LIMIT:
        raise TooManyTags
    return list(tidy.values())


def described(file_name: str) -> str:
    """A file's name as words, for who cannot see the picture: "fig_bowl.jpg" is "fig bowl"."""
    return " ".join(re.split(r"[\s_]+", PurePosixPath(file_name).stem)).strip() or file_name


def disposition(file_name: str, mime: str) -> str:
    """The Content-Disposition (RFC 6266) that saves a file under its name, with the ending that its content asks for."""
    endings = _SUFFIXES.get(mime, ("",))
    named = file_name
    if not file_name.lower().endswith(endings):
        path = PurePosixPath(file_name)
        known = path.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp", ".avif", ".gif", ".heic", ".tif", ".tiff", ".bmp"}
        named = (path.stem if known else file_name) + endings[0]
    plain = re.sub(r'[^ -~]|["\\%]', "_", named)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(named, safe='')}"
