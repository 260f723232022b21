#!/usr/bin/env bash
# Pillow 13.0.0 beside pyvips 3.2.0 (pyvips-binary 8.18.7): quality=100 of an AVIF is not lossless.
#
# Expected: save("x.avif", quality=100) keeps the pixels, since libavif names this value AVIF_QUALITY_LOSSLESS; at the latest
# together with subsampling="4:4:4", which removes the one loss that the documentation names.
# Seen: quality=100 alone subsamples the colours (off by over 200 of 255 in a noisy picture). With 4:4:4 more than half of the
# numbers still differ, by up to 3: the conversion to YCbCr rounds, and no option of Pillow asks for the identity matrix that
# a lossless AVIF needs. libvips with lossless=True is exact.
# Consequence: no masters and no pixel comparisons in AVIFs of Pillow; use libvips or lossless WebP.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    Pillow==13.0.0 pyvips==3.2.0 pyvips-binary==8.18.7 numpy==2.4.6
"$folder/venv/bin/python" - > "$folder/seen" <<'PY'
import io

import numpy
import pyvips
from PIL import Image

pixels = numpy.random.default_rng(1).integers(0, 255, (48, 64, 3), dtype=numpy.uint8)


def error(decoded):
    return int(abs(numpy.asarray(decoded).astype(int) - pixels).max())


def saved(**options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "AVIF", quality=100, **options)
    return Image.open(file).convert("RGB")


print("Pillow, quality 100: off by more than 200:", error(saved()) > 200)
full = saved(subsampling="4:4:4")
print("Pillow, quality 100, 4:4:4: off by", error(full), "and over half differ:", (numpy.asarray(full) != pixels).mean() > 0.5)
exact = pyvips.Image.new_from_array(pixels).heifsave_buffer(compression="av1", lossless=True)
print("libvips, lossless: off by", error(pyvips.Image.new_from_buffer(exact, "").numpy()))
print("Pillow reads that file: off by", error(Image.open(io.BytesIO(exact)).convert("RGB")))
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
Pillow, quality 100: off by more than 200: True
Pillow, quality 100, 4:4:4: off by 3 and over half differ: True
libvips, lossless: off by 0
Pillow reads that file: off by 0
SEEN
echo "as described"
