"""Good and bad image files, with the bytes that a camera or an attacker would send.

`REFUSED` maps every bad input to the code of its rejection. The good ones are real
photographs (`vetrina.demo.photos`), scaled.
"""

from __future__ import annotations

import functools
import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import pyvips

from vetrina.demo.photos import path_of

GPS_WORDS = (
    b"Exif",
    b"GPS",
    b"http://ns.adobe.com/xap",
    b"ICC_PROFILE",
    b"iCCP",
    b"eXIf",
    b"tEXt",
    b"Secret Street",
)
"""Markers of EXIF, XMP, ICC and text, which no output may contain."""


@functools.cache
def photograph(width: int = 1600, height: int = 1200, name: str = "dandelion") -> bytes:
    """A real photograph as a JPEG of exactly this size."""
    return pixels_of(width, height, name).jpegsave_buffer(Q=90, keep=0)


@functools.cache
def pixels_of(width: int, height: int, name: str = "dandelion") -> pyvips.Image:
    """A real photograph, scaled and cropped to exactly this size."""
    return pyvips.Image.thumbnail(path_of(name), width, height=height, crop="centre", size="both").copy_memory()


def cut_out(width: int = 1200, height: int = 900) -> pyvips.Image:
    """A photograph with a soft round alpha channel."""
    picture = pixels_of(width, height, "coffee")
    xy = pyvips.Image.xyz(width, height)
    distance = (((xy[0] - width / 2) / width) ** 2 + ((xy[1] - height / 2) / height) ** 2) ** 0.5
    return picture.bandjoin(((0.45 - distance) * 2550).cast("uchar"))


# Good, but not as simple as they look


def oriented(orientation: int) -> bytes:
    """Return a JPEG of this EXIF orientation (1 to 8), with GPS, XMP and a comment. Upright it is 400 x 300."""
    picture = pixels_of(400, 300)
    undo = {
        1: picture,
        2: picture.fliphor(),
        3: picture.rot180(),
        4: picture.flipver(),
        5: picture.rot270().flipver(),
        6: picture.rot270(),
        7: picture.rot90().flipver(),
        8: picture.rot90(),
    }[orientation].copy()
    undo.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    undo.set_type(pyvips.GValue.gstr_type, "exif-ifd3-GPSLatitudeRef", "N (N, ASCII, 2 components, 2 bytes)")
    undo.set_type(pyvips.GValue.gstr_type, "exif-ifd3-GPSLatitude", "52/1 31/1 1234/100 (52, 31, 12.34)")
    undo.set_type(pyvips.GValue.gstr_type, "exif-ifd0-ImageDescription", "12 Secret Street (x, ASCII, 17, 17)")
    xmp = b"<x:xmpmeta>12 Secret Street</x:xmpmeta>"
    undo.set_type(pyvips.GValue.blob_type, "xmp-data", xmp)  # pyright: ignore[reportArgumentType]
    return undo.jpegsave_buffer(Q=95)


def cmyk_jpeg() -> bytes:
    """Four inks, with the printer's profile."""
    return pixels_of(400, 300).icc_export(output_profile="cmyk").jpegsave_buffer(Q=95)


def deep_png() -> bytes:
    """Sixteen bits a channel, with alpha."""
    return cut_out(400, 300).colourspace("rgb16").pngsave_buffer(bitdepth=16)


def wide_gamut_jpeg() -> bytes:
    """Display P3, as telephones write it."""
    return pixels_of(400, 300).icc_transform("p3", input_profile="srgb").jpegsave_buffer(Q=95)


def grey_jpeg() -> bytes:
    return pixels_of(400, 300).colourspace("b-w").jpegsave_buffer(Q=95)


def flat_png() -> bytes:
    """Artwork of a few flat colours, drawn, without alpha."""
    picture = pyvips.Image.black(600, 400, bands=3).copy(interpretation="srgb") + [240, 200, 40]  # noqa: RUF005
    picture = picture.cast("uchar").draw_circle([180, 30, 30], 300, 200, 150, fill=True)
    return picture.pngsave_buffer()


def progressive_jpeg() -> bytes:
    return pixels_of(1600, 1200).jpegsave_buffer(Q=90, interlace=True)


def ultra_hdr_jpeg() -> bytes:
    """A JPEG with a second one (a gain map) behind its end, as Android cameras write it."""
    first = photograph(800, 600)
    return first + photograph(400, 300)


def jpeg_and_page() -> bytes:
    """A JPEG that a careless browser would run: a script in its comment, and behind its end."""
    script = b"<html><script>alert(document.cookie)</script></html>"
    whole = photograph(400, 300)
    return whole[:2] + b"\xff\xfe" + struct.pack(">H", len(script) + 2) + script + whole[2:] + script


def jpeg_and_zip() -> bytes:
    """A JPEG that is also an archive with a program in it."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as box:
        box.writestr("run.sh", "#!/bin/sh\necho Secret Street\n")
    return photograph(400, 300) + archive.getvalue()


def huge_profile_jpeg() -> bytes:
    """Return a JPEG with four megabytes of noise as its colour profile."""
    part = 65_000
    junk = bytes(range(256)) * (4_000_000 // 256)
    parts = [junk[at : at + part] for at in range(0, len(junk), part)]
    segments = b"".join(
        b"\xff\xe2" + struct.pack(">H", len(item) + 16) + b"ICC_PROFILE\x00" + bytes([number + 1, len(parts)]) + item
        for number, item in enumerate(parts)
    )
    whole = photograph(400, 300)
    return whole[:2] + segments + whole[2:]


def text_bomb_png() -> bytes:
    """Return a PNG whose compressed comment expands to 200 MB."""
    bomb = b"Comment\x00\x00" + zlib.compress(bytes(200_000_000), 9)
    return _with_chunk(cut_out(400, 300).pngsave_buffer(keep=0), b"zTXt", bomb)


# Bad


def empty() -> bytes:
    return b""


def text() -> bytes:
    return b"This is a letter, whatever its name ends with.\n" * 40


def page() -> bytes:
    return b"<!doctype html><title>Hello</title><script>alert(1)</script>"


def svg_with_script() -> bytes:
    return (
        b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="400" height="300">'
        b'<script>alert(1)</script><image href="file:///etc/passwd"/></svg>'
    )


def pdf() -> bytes:
    return b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def gif_bomb() -> bytes:
    """Two kilobytes that announce 200 frames of 65,535 x 65,535."""
    frame = b"\x2c" + struct.pack("<HHHH", 0, 0, 65_535, 65_535) + b"\x00\x02\x02\x4c\x01\x00"
    return b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\x80\x00\x00" + bytes(6) + frame * 200 + b"\x3b"


def small_gif() -> bytes:
    return pixels_of(100, 75).gifsave_buffer()


def tiff() -> bytes:
    return pixels_of(100, 75).tiffsave_buffer()


def heic_header() -> bytes:
    return b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(400)


def film() -> bytes:
    return b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp41" + bytes(400)


def png_of(width: int, height: int, *, kilobytes: int = 40) -> bytes:
    """Return a valid header for this many pixels, with zlib data that expands endlessly."""
    pixels = zlib.compress(bytes(kilobytes * 1024 * 1000), 9)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def png_400_megapixels() -> bytes:
    return png_of(20_000, 20_000)


def png_strip() -> bytes:
    return png_of(30_000, 20)


def webp_of_268_megapixels() -> bytes:
    """Forty bytes that announce WebP's largest size."""
    size = (16_383).to_bytes(2, "little")
    frame = b"\x30\x01\x00\x9d\x01\x2a" + size + size + bytes(20)
    body = b"WEBPVP8 " + struct.pack("<I", len(frame)) + frame
    return b"RIFF" + struct.pack("<I", len(body)) + body


def jpeg_of_4_gigapixels() -> bytes:
    """A real photograph whose header was edited to 65,500 x 65,500."""
    whole = bytearray(photograph(400, 300))
    at = whole.index(b"\xff\xc0")
    whole[at + 5 : at + 9] = struct.pack(">HH", 65_500, 65_500)
    return bytes(whole)


def dot() -> bytes:
    return pixels_of(8, 8).pngsave_buffer()


def truncated_jpeg() -> bytes:
    whole = photograph()
    return whole[: len(whole) // 2]


def deep_jpeg() -> bytes:
    """A valid JPEG of 12 bits: extended sequential, grey, 16 x 16 pixels (ITU-T T.81, B.2.2)."""
    frame = struct.pack(">BHHB3B", 12, 16, 16, 1, 1, 0x11, 0)
    table = bytes([1] + [0] * 15 + [0])  # one code of one bit, for "no difference" and for "end of block"
    return b"\xff\xd8" + b"".join(
        bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body
        for marker, body in (
            (0xDB, b"\0" + bytes([1] * 64)),
            (0xC1, frame),
            (0xC4, b"\x00" + table),
            (0xC4, b"\x10" + table),
            (0xDA, bytes([1, 1, 0, 0, 63, 0])),
        )
    ) + b"\x00\xff\xd9"  # fmt: skip


def jpeg_ls() -> bytes:
    """The head of a JPEG-LS file (ITU-T T.87, C.2.2)."""
    return b"\xff\xd8\xff\xf7\x00\x0b" + struct.pack(">BHHB3B", 8, 64, 64, 1, 1, 0x11, 0) + bytes(200)


def truncated_png() -> bytes:
    whole = pixels_of(400, 300).pngsave_buffer()
    return whole[: len(whole) // 2]


def truncated_webp() -> bytes:
    whole = pixels_of(400, 300).webpsave_buffer()
    return whole[: len(whole) // 2]


def truncated_avif() -> bytes:
    whole = pixels_of(400, 300).heifsave_buffer(compression="av1", effort=0)
    return whole[: len(whole) // 2]


def header_alone() -> bytes:
    return photograph()[:20]


def many_scans() -> bytes:
    """A progressive JPEG whose last scan is repeated 600 times: a small file that is decoded 600 times."""
    whole = pixels_of(1000, 750).jpegsave_buffer(Q=30, interlace=True, keep=0)
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * 600 + whole[-2:]


def animated_webp() -> bytes:
    return _frames().webpsave_buffer(effort=0)


def animated_png() -> bytes:
    whole = pixels_of(400, 300).pngsave_buffer()
    return _with_chunk(whole, b"acTL", struct.pack(">II", 2, 0))


def avif_sequence() -> bytes:
    whole = pixels_of(64, 48).heifsave_buffer(compression="av1", effort=0)
    return whole.replace(b"ftypavif", b"ftypavis", 1)


def too_many_bytes() -> bytes:
    return photograph() + bytes(26 * 1024 * 1024)


REFUSED: dict[Callable[[], bytes], str] = {
    deep_jpeg: "format_not_taken",
    jpeg_ls: "format_not_taken",
    empty: "empty",
    text: "not_an_image",
    page: "not_an_image",
    film: "format_not_taken",
    svg_with_script: "format_not_taken",
    pdf: "format_not_taken",
    gif_bomb: "format_not_taken",
    small_gif: "format_not_taken",
    heic_header: "format_not_taken",
    png_400_megapixels: "too_many_pixels",
    jpeg_of_4_gigapixels: "too_many_pixels",
    webp_of_268_megapixels: "too_many_pixels",
    png_strip: "too_long",
    dot: "too_small",
    truncated_jpeg: "damaged",
    truncated_png: "damaged",
    truncated_webp: "damaged",
    truncated_avif: "damaged",
    header_alone: "damaged",
    many_scans: "damaged",
    animated_webp: "animated",
    animated_png: "animated",
    avif_sequence: "animated",
    too_many_bytes: "too_many_bytes",
}


def _frames() -> pyvips.Image:
    """Return three frames one below the other, as libvips stores an animation."""
    frames = [pixels_of(200, 150, name) for name in ("coffee", "cat", "dandelion")]
    film = pyvips.Image.arrayjoin(frames, across=1).copy()
    film.set_type(pyvips.GValue.gint_type, "page-height", 150)
    film.set_type(pyvips.GValue.array_int_type, "delay", [100, 100, 100])
    return film


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _with_chunk(png: bytes, name: bytes, data: bytes) -> bytes:
    """Return the PNG with one more chunk after its header."""
    return png[:33] + _chunk(name, data) + png[33:]
