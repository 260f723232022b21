#!/usr/bin/env bash
# pyvips 3.2.0 (pyvips-binary 8.18.7): keep=0 does not drop the resolution of a PNG or TIFF.
#
# Expected: "keep=0" (retain no metadata) makes the file depend on the pixels alone, so that equal pictures give equal bytes
# and one can recognise duplicates, or cache, by the hash of the result.
# Seen: true of JPEG, WebP and AVIF. pngsave() and tiffsave() still write the resolution of the source (pHYs; XResolution),
# so the same pixels scanned at 72, 96 and 300 dots per inch give three files, and a fact of the source is passed on.
# Consequence: copy(xres=1, yres=1) before saving where the bytes are compared.
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
from PIL import Image

pixels = numpy.random.default_rng(1).integers(0, 255, (48, 64, 3), dtype=numpy.uint8)
sources = []
for dots in (72, 96, 300):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", dpi=(dots, dots))
    sources.append(pyvips.Image.new_from_buffer(file.getvalue(), ""))
for name, options in (
    ("jpegsave", {}),
    ("webpsave", {}),
    ("heifsave", {"compression": "av1"}),
    ("pngsave", {}),
    ("tiffsave", {}),
):
    files = {getattr(image, f"{name}_buffer")(keep=0, **options) for image in sources}
    reset = {getattr(image.copy(xres=1, yres=1), f"{name}_buffer")(keep=0, **options) for image in sources}
    print(f"{name}: {len(files)} different files of equal pixels, {len(reset)} after copy(xres=1, yres=1)")
print("PNG:", [Image.open(io.BytesIO(image.pngsave_buffer(keep=0))).info for image in sources])
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
jpegsave: 1 different files of equal pixels, 1 after copy(xres=1, yres=1)
webpsave: 1 different files of equal pixels, 1 after copy(xres=1, yres=1)
heifsave: 1 different files of equal pixels, 1 after copy(xres=1, yres=1)
pngsave: 3 different files of equal pixels, 1 after copy(xres=1, yres=1)
tiffsave: 3 different files of equal pixels, 1 after copy(xres=1, yres=1)
PNG: [{'dpi': (72.009, 72.009)}, {'dpi': (96.012, 96.012)}, {'dpi': (299.9994, 299.9994)}]
SEEN
echo "as described"
