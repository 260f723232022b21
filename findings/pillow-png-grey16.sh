#!/usr/bin/env bash
# Pillow 13.0.0 beside pyvips 3.2.0 (pyvips-binary 8.18.7): 16-bit grey becomes white.
#
# Expected: convert("L") or convert("RGB") of a PNG of 16-bit grey scales its numbers to 8 bits, as opening a PNG of 16-bit
# colour does: 40000 of 65535 is 156 of 255.
# Seen: grey is not scaled but cut off: every number above 255 becomes 255, so a scan in 16-bit grey turns into a white
# page, without an error. The same brightness as a 16-bit colour PNG is scaled on opening (156). libvips scales both in
# colourspace("srgb").
# Consequence: divide the numbers of mode "I;16" by 257 before convert(), or open such files with libvips; test uploads
# with 16-bit grey, which scanners write.
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

for name, channels, interpretation in (("grey", 1, "grey16"), ("colour", 3, "rgb16")):
    for value in (200, 10000, 40000):
        pixels = numpy.full((8, 8, channels), value, numpy.uint16)
        data = pyvips.Image.new_from_array(pixels, interpretation=interpretation).pngsave_buffer(bitdepth=16, keep=0)
        image = Image.open(io.BytesIO(data))
        libvips = pyvips.Image.new_from_buffer(data, "").colourspace("srgb")
        print(
            f"{name} {value}: Pillow mode {image.mode}, L {image.convert('L').getpixel((0, 0))},",
            f"RGB {image.convert('RGB').getpixel((0, 0))[0]}; libvips {libvips.getpoint(0, 0)[0]:.0f}",
        )
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
grey 200: Pillow mode I;16, L 200, RGB 200; libvips 0
grey 10000: Pillow mode I;16, L 255, RGB 255; libvips 39
grey 40000: Pillow mode I;16, L 255, RGB 255; libvips 156
colour 200: Pillow mode RGB, L 0, RGB 0; libvips 0
colour 10000: Pillow mode RGB, L 39, RGB 39; libvips 39
colour 40000: Pillow mode RGB, L 156, RGB 156; libvips 156
SEEN
echo "as described"
