#!/usr/bin/env bash
# Pillow 13.0.0: a TIFF with orientation is turned by load(), while its size is turned from the start.
#
# Expected: until the pixels are read, size and getexif() of an image agree: 40 x 20 with the orientation 6, as of a JPEG.
# Seen: a TIFF opens as 20 x 40, already turned, and getexif() still says 6. Only load() (or any call that reads pixels) turns
# the pixels and drops the tag. Code that looks at the header alone, without decoding, and swaps the sides by the tag
# gets 40 x 20, the wrong way round, and it depends on whether something read the pixels earlier.
# Consequence: swap sides by the tag for no TIFF, or call load() before either is read; exif_transpose() is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check Pillow==13.0.0
"$folder/venv/bin/python" - > "$folder/seen" <<'PY'
import io

from PIL import Image, ImageOps

exif = Image.Exif()
exif[0x0112] = 6
for format in ("JPEG", "TIFF"):
    file = io.BytesIO()
    Image.new("RGB", (40, 20), "teal").save(file, format, exif=exif.tobytes())
    image = Image.open(file)
    print(f"{format}: opened {image.size} tag {image.getexif().get(0x0112)},", end=" ")
    image.load()
    print(f"loaded {image.size} tag {image.getexif().get(0x0112)},", end=" ")
    print(f"exif_transpose {ImageOps.exif_transpose(Image.open(file)).size}")
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
JPEG: opened (40, 20) tag 6, loaded (40, 20) tag 6, exif_transpose (20, 40)
TIFF: opened (20, 40) tag 6, loaded (20, 40) tag None, exif_transpose (20, 40)
SEEN
echo "as described"
