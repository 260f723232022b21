#!/usr/bin/env bash
# pyvips 3.2.0 (pyvips-binary 8.18.7) beside opencv-python-headless 5.0.0.93: white of an AVIF of 10 or 12 bits.
#
# Expected: the white of a picture of 16-bit numbers is 65535, and an opaque picture is opaque.
# Seen: libvips moves the bits up and fills in zeros: white is 65472 (1023 * 64) of 10 bits and 65520 of 12. The alpha
# channel is treated alike, so an opaque AVIF is not quite opaque: laid on red, black becomes (63, 0, 0) of 65535. OpenCV
# does not scale at all: its white in the same uint16 is 1023 and 4095, a nearly black picture to the next program.
# Pictures of 8 bits are exact in both.
# Consequence: scale by the white of the depth (libvips gives the depth as bits-per-sample); never test alpha == 65535.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    pyvips==3.2.0 pyvips-binary==8.18.7 opencv-python-headless==5.0.0.93 numpy==2.4.6
"$folder/venv/bin/python" - > "$folder/seen" <<'PY'
import cv2
import numpy
import pyvips

white = pyvips.Image.new_from_array(numpy.full((16, 16, 3), 65535, numpy.uint16)).copy(interpretation="rgb16")
black = numpy.zeros((16, 16, 4), numpy.uint16)
black[:, :, 3] = 65535
opaque = pyvips.Image.new_from_array(black).copy(interpretation="rgb16")
for depth in (8, 10, 12):
    data = white.heifsave_buffer(compression="av1", bitdepth=depth, lossless=True, keep=0)
    libvips = pyvips.Image.new_from_buffer(data, "")
    opencv = cv2.imdecode(numpy.frombuffer(data, numpy.uint8), cv2.IMREAD_UNCHANGED)
    stored = opaque.heifsave_buffer(compression="av1", bitdepth=depth, lossless=True, keep=0)
    on_red = pyvips.Image.new_from_buffer(stored, "").flatten(background=[255 if depth == 8 else 65535, 0, 0])
    print(
        f"{depth} bits: libvips {libvips.format} {libvips.min():.0f}, OpenCV {opencv.dtype} {opencv.min()},",
        f"opaque black on red {[int(value) for value in on_red.getpoint(0, 0)]}",
    )
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
8 bits: libvips uchar 255, OpenCV uint8 255, opaque black on red [0, 0, 0]
10 bits: libvips ushort 65472, OpenCV uint16 1023, opaque black on red [63, 0, 0]
12 bits: libvips ushort 65520, OpenCV uint16 4095, opaque black on red [15, 0, 0]
SEEN
echo "as described"
