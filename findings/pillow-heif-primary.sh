#!/usr/bin/env bash
# pillow-heif 1.4.0: Image.open() of a HEIC file with several pictures stands at its primary picture, not at frame 0.
#
# Expected: as with the other formats that Pillow reads, a file that was opened stands at frame 0, and seek(0) goes back to what
# was shown first.
# Seen: a burst whose third picture was chosen opens at tell() == 2; code that reads the size or checks something and then says
# seek(0) "to start again" goes on with another photograph of the burst.
# Consequence: take what open() gives, never seek(0); the flag "primary" in .info of a frame says which one it is.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pillow-heif==1.4.0 pillow==12.0.0
"$folder/venv/bin/python" - > "$folder/seen" <<'PY'
import io

import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()
burst = pillow_heif.HeifFile()
for colour in ("red", "lime", "blue"):
    burst.add_from_pillow(Image.new("RGB", (64, 48), colour))
file = io.BytesIO()
burst.save(file, primary_index=2)


def colour(picture):
    red, green, blue = picture.getpixel((5, 5))
    return max((red, "red"), (green, "lime"), (blue, "blue"))[1]


picture = Image.open(file)
print("frames", picture.n_frames, "tell", picture.tell(), colour(picture))
picture.seek(0)
print("after seek(0)", picture.tell(), colour(picture), "primary:", picture.info["primary"])

pages = io.BytesIO()
first, *others = (Image.new("RGB", (64, 48), colour) for colour in ("red", "lime", "blue"))
first.save(pages, "TIFF", save_all=True, append_images=others)
print("TIFF for comparison: tell", Image.open(pages).tell())
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
frames 3 tell 2 blue
after seek(0) 0 red primary: False
TIFF for comparison: tell 0
SEEN
echo "as described"
