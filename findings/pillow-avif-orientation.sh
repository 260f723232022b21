#!/usr/bin/env bash
# Pillow 13.0.0, pyvips 3.2.0 (pyvips-binary 8.18.7), opencv-python-headless 5.0.0.93: the orientation of an AVIF.
#
# Expected: a 40 x 20 photograph with the orientation 6 ("turn by 90 degrees") is handled in AVIF as in JPEG, PNG and WebP:
# Pillow and libvips leave it as stored and give the tag, OpenCV turns it.
# Seen: Pillow writes the orientation as an "irot" property, and the three readers part ways. Pillow gives 40 x 20 and the
# tag 6; libvips has turned it already and gives no tag; OpenCV, which turns the other three formats, does not turn this one.
# One file is thus 40 x 20, 20 x 40 and 40 x 20 without a hint. Code that swaps width and height by the tag is right in
# Pillow and must not look for it in libvips; nothing in OpenCV says that the picture lies on its side.
# Consequence: turn with the reader's own call (exif_transpose, autorot), then save without orientation before OpenCV reads.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    Pillow==13.0.0 pyvips==3.2.0 pyvips-binary==8.18.7 opencv-python-headless==5.0.0.93 numpy==2.4.6
"$folder/venv/bin/python" - > "$folder/seen" <<'PY'
import io

import cv2
import numpy
import pyvips
from PIL import Image, ImageOps

exif = Image.Exif()
exif[0x0112] = 6
for format in ("JPEG", "PNG", "WEBP", "AVIF"):
    file = io.BytesIO()
    Image.new("RGB", (40, 20), "teal").save(file, format, exif=exif.tobytes())
    data = file.getvalue()
    pillow = Image.open(file)
    libvips = pyvips.Image.new_from_buffer(data, "")
    tag = libvips.get("orientation") if libvips.get_typeof("orientation") else None
    height, width = cv2.imdecode(numpy.frombuffer(data, numpy.uint8), cv2.IMREAD_COLOR).shape[:2]
    turned = libvips.autorot()
    print(
        f"{format}: irot {b'irot' in data}, Pillow {pillow.size} tag {pillow.getexif().get(0x0112)},",
        f"libvips {libvips.width, libvips.height} tag {tag}, OpenCV {width, height},",
        f"turned {ImageOps.exif_transpose(pillow).size} {turned.width, turned.height}",
    )
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
JPEG: irot False, Pillow (40, 20) tag 6, libvips (40, 20) tag 6, OpenCV (20, 40), turned (20, 40) (20, 40)
PNG: irot False, Pillow (40, 20) tag 6, libvips (40, 20) tag 6, OpenCV (20, 40), turned (20, 40) (20, 40)
WEBP: irot False, Pillow (40, 20) tag 6, libvips (40, 20) tag 6, OpenCV (20, 40), turned (20, 40) (20, 40)
AVIF: irot True, Pillow (40, 20) tag 6, libvips (20, 40) tag None, OpenCV (40, 20), turned (20, 40) (20, 40)
SEEN
echo "as described"
