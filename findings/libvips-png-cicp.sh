#!/usr/bin/env bash
# pyvips 3.2.0 (pyvips-binary 8.18.7), Pillow 13.0.0, opencv-python-headless 5.0.0.93: a PNG that is not sRGB by its cICP or gAMA.
#
# Expected: a PNG whose cICP chunk says BT.2020 with PQ (9, 16), the standard's way to mark HDR since its third edition, or
# whose gAMA says that its numbers are linear, is converted, or at least the reader gives the chunk to the caller.
# Seen: all three decode the same numbers as without the chunk. libvips names neither chunk among its fields, Pillow gives
# gAMA only, and OpenCV cICP only, in imdecodeWithMetadata(). A browser that obeys the chunk shows the original quite
# differently from the copy that these libraries make.
# Consequence: read the chunks oneself (they stand before IDAT) and refuse or convert; the fields of one library are no check.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    pyvips==3.2.0 pyvips-binary==8.18.7 Pillow==13.0.0 opencv-python-headless==5.0.0.93 numpy==2.4.6
"$folder/venv/bin/python" - > "$folder/seen" <<'PY'
import io
import struct
import zlib

import cv2
import numpy
import pyvips
from PIL import Image

pixels = numpy.random.default_rng(1).integers(0, 255, (8, 8, 3), dtype=numpy.uint8)
file = io.BytesIO()
Image.fromarray(pixels).save(file, "PNG")
plain = file.getvalue()
plain_fields = set(pyvips.Image.new_from_buffer(plain, "").get_fields())


def with_chunk(kind, content):
    chunk = struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    return plain[:33] + chunk + plain[33:]


for name, data in (
    ("cICP", with_chunk(b"cICP", bytes((9, 16, 0, 1)))),
    ("gAMA", with_chunk(b"gAMA", struct.pack(">I", 100000))),
):
    libvips = pyvips.Image.new_from_buffer(data, "")
    pillow = Image.open(io.BytesIO(data))
    opencv = cv2.imdecode(numpy.frombuffer(data, numpy.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
    unchanged = [numpy.array_equal(pixels, decoded) for decoded in (libvips.numpy(), numpy.asarray(pillow), opencv)]
    kinds, _ = cv2.imdecodeWithMetadata(numpy.frombuffer(data, numpy.uint8), cv2.IMREAD_COLOR)[1:]
    given = ["cICP" if kind == cv2.IMAGE_METADATA_CICP else kind for kind in kinds]
    new_fields = sorted(set(libvips.get_fields()) - plain_fields)
    print(f"{name}: pixels unchanged {unchanged}, libvips {new_fields}, Pillow {pillow.info}, OpenCV {given}")
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
cICP: pixels unchanged [True, True, True], libvips [], Pillow {}, OpenCV ['cICP']
gAMA: pixels unchanged [True, True, True], libvips [], Pillow {'gamma': 1.0}, OpenCV []
SEEN
echo "as described"
