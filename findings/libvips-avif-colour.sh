#!/usr/bin/env bash
# pyvips 3.2.0 (pyvips-binary 8.18.7) beside Pillow 13.0.0: the colour description of an AVIF.
#
# Expected: an AVIF of libvips says in its container, in a "colr" box of type "nclx", which colours its numbers mean, as
# the files of libavif (Pillow) do.
# Seen: heifsave() writes no "colr" box at all for an ordinary picture, of 8 bits or of 10; the values (1, 13, 6: sRGB)
# are only inside the AV1 stream. The box appears with lossless=True. And profile="srgb" adds a box of type "rICC" (a
# restricted profile) where Pillow writes "prof", so code that searches for "prof" finds no profile.
# Consequence: a check of colours must parse the AV1 sequence header too, or take "no box" for sRGB; and accept both
# types of profile.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    pyvips==3.2.0 pyvips-binary==8.18.7 Pillow==13.0.0 numpy==2.4.6
"$folder/venv/bin/python" - > "$folder/seen" <<'PY'
import io

import numpy
import pyvips
from PIL import Image, ImageCms

pixels = numpy.random.default_rng(1).integers(0, 255, (48, 64, 3), dtype=numpy.uint8)
image = pyvips.Image.new_from_array(pixels)


def box(data):
    start = data.find(b"colr")
    return data[start + 4 : start + 8].decode() if start > 0 else None


def stream_colours(data):
    """Return the three colour numbers of an AV1 sequence header (8 bits, profile 0, still picture)."""
    start = data.index(b"\x0a", data.index(b"mdat"))
    bits = "".join(f"{byte:08b}" for byte in data[start + 2 : start + 2 + data[start + 1]])
    size_bits = int(bits[10:14], 2) + int(bits[14:18], 2) + 2
    # After the two sizes come six flags of tools, high bit depth, monochrome, and whether the colours are given.
    flags = 18 + size_bits
    assert bits[3:5] == "11" and bits[flags + 8] == "1", bits
    return tuple(int(bits[flags + 9 + 8 * i : flags + 17 + 8 * i], 2) for i in range(3))


plain = image.heifsave_buffer(compression="av1")
print("libvips: box", box(plain), "stream", stream_colours(plain))
print("libvips, 10 bits: box", box(image.colourspace("rgb16").heifsave_buffer(compression="av1", bitdepth=10)))
print("libvips, lossless: box", box(image.heifsave_buffer(compression="av1", lossless=True)))
print("libvips, profile sRGB: box", box(image.heifsave_buffer(compression="av1", profile="srgb")))
file = io.BytesIO()
Image.fromarray(pixels).save(file, "AVIF")
print("Pillow: box", box(file.getvalue()), "stream", stream_colours(file.getvalue()))
profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
file = io.BytesIO()
Image.fromarray(pixels).save(file, "AVIF", icc_profile=profile)
print("Pillow, profile sRGB: box", box(file.getvalue()))
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
libvips: box None stream (1, 13, 6)
libvips, 10 bits: box None
libvips, lossless: box nclx
libvips, profile sRGB: box rICC
Pillow: box nclx stream (1, 13, 6)
Pillow, profile sRGB: box prof
SEEN
echo "as described"
