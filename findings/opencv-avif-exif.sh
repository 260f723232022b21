#!/usr/bin/env bash
# opencv-python-headless 5.0.0.93 beside pyvips 3.2.0 (pyvips-binary 8.18.7) and Pillow 13.0.0: AVIF with Exif behind its pixels.
#
# Expected: cv2.imdecode() reads every AVIF that libavif reads, and it contains libavif.
# Seen: it returns None for a valid file, without an error, as soon as the Exif item begins after the first 500 bytes.
# OpenCV gives libavif the first 500 bytes to recognise the format; libavif looks for the metadata at once and takes an
# item outside of them for a read error. libvips writes Exif into every AVIF (also for an image without any) and places
# it behind the pixels, so nearly all AVIFs of libvips are affected. Pillow places Exif before the pixels, and its files
# are read whatever their size; a picture of one colour is small enough to pass, so a test with a blank image finds nothing.
# Consequence: write AVIF with keep=0 where OpenCV reads it, or decode with another library; None is not "damaged".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    opencv-python-headless==5.0.0.93 pyvips==3.2.0 pyvips-binary==8.18.7 Pillow==13.0.0 numpy==2.4.6
"$folder/venv/bin/python" - > "$folder/seen" <<'PY'
import io

import cv2
import numpy
import pyvips
from PIL import Image

noise = numpy.random.default_rng(1)


def opencv_reads(data):
    return cv2.imdecode(numpy.frombuffer(data, numpy.uint8), cv2.IMREAD_COLOR) is not None


def pillow_reads(data):
    return Image.open(io.BytesIO(data)).convert("RGB").size == (64, 16)


before, after, without, pillow = set(), set(), set(), set()
for columns in range(64):
    pixels = numpy.full((16, 64, 3), 128, numpy.uint8)
    pixels[:, :columns] = noise.integers(0, 255, (16, columns, 3), dtype=numpy.uint8)
    image = pyvips.Image.new_from_array(pixels)
    data = image.heifsave_buffer(compression="av1", effort=0)
    start = data.rindex(b"Exif\0\0II") - 4
    (before if start <= 500 else after).add(opencv_reads(data))
    without.add(opencv_reads(image.heifsave_buffer(compression="av1", effort=0, keep=0)))
    pillow.add(pillow_reads(data))
print("OpenCV, Exif within the first 500 bytes:", before)
print("OpenCV, Exif after them:", after)
print("OpenCV, the same pictures saved with keep=0:", without)
print("Pillow, all of them:", pillow)
exif = Image.Exif()
exif[0x010E] = "x" * 2000
file = io.BytesIO()
Image.fromarray(pixels).save(file, "AVIF", exif=exif.tobytes())
print("OpenCV, saved by Pillow with 2000 bytes of Exif:", {opencv_reads(file.getvalue())})
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
OpenCV, Exif within the first 500 bytes: {True}
OpenCV, Exif after them: {False}
OpenCV, the same pictures saved with keep=0: {True}
Pillow, all of them: {True}
OpenCV, saved by Pillow with 2000 bytes of Exif: {True}
SEEN
echo "as described"
