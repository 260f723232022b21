"""HEIC, decoded by libheif in the isolated child. Off unless the operator turns it on: HEVC is covered by patents.

libvips opens a HEIC file's header and fails on its pixels: its own libheif has no HEVC decoder.
"""

from __future__ import annotations

from typing import Any, cast

import pi_heif  # pyright: ignore[reportMissingTypeStubs]
import pyvips

from vetrina.core.isolation.child import Reject

pi_heif.options.DECODE_THREADS = 1
_BANDS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "RGBa": 4}


class HeicPicture:
    """A HEIC file's primary picture: its size is known, its pixels are not read yet."""

    def __init__(self, data: bytes) -> None:
        try:
            self._file: Any = cast(Any, pi_heif).open_heif(data, convert_hdr_to_8bit=False)
        except (ValueError, RuntimeError, OSError, SyntaxError, EOFError) as error:
            raise Reject("damaged", "The picture is damaged or incomplete. Save it again and retry.") from error

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, upright: libheif has applied the file's rotation and mirroring."""
        return self._file.size

    def decode(self) -> pyvips.Image:
        """Return the pixels, of 8 or 16 bits, with the file's ICC profile."""
        try:
            mode, _, depth = str(self._file.mode).partition(";")
            data, stride = bytes(self._file.data), int(self._file.stride)
        except (ValueError, RuntimeError, OSError, SyntaxError, EOFError) as error:
            raise Reject("damaged", "The picture is damaged or incomplete. Save it again and retry.") from error
        width, height = self.size
        bands, size = _BANDS[mode], 2 if depth else 1
        image: pyvips.Image = pyvips.Image.new_from_memory(data, stride // size, height, 1, "ushort" if depth else "uchar")
        image = image.crop(0, 0, width * bands, height)
        image = pyvips.Image.new_from_memory(image.write_to_memory(), width, height, bands, image.format)
        space = ("grey16" if bands < 3 else "rgb16") if depth else ("b-w" if bands < 3 else "srgb")
        image = image.copy(interpretation=space)
        if mode == "RGBa":
            image = image.unpremultiply().cast(image.format)
        if profile := self._file.info.get("icc_profile"):
            image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
        return image
