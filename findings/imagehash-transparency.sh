#!/usr/bin/env bash
# ImageHash 4.3.2: every picture whose drawing is in the transparency alone has the same hash.
#
# Expected: two logos as transparent PNG files, a bar and a ring in black, have different perceptual hashes, as they have on white.
# Seen: the picture is converted to grey without its alpha channel, so what counts is the colour under full transparency, which is
# black with most programs: both logos, and an empty picture, hash to zeros (phash, dhash, average_hash and whash alike) and are
# "duplicates" of one another at distance 0.
# Consequence: put a picture on white before it is hashed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ImageHash==4.3.2 pillow==12.0.0
"$folder/venv/bin/python" - > "$folder/seen" <<'PY'
import imagehash
from PIL import Image, ImageDraw

pictures = {name: Image.new("RGBA", (96, 96), (0, 0, 0, 0)) for name in ("bar", "ring", "empty")}
ImageDraw.Draw(pictures["bar"]).rectangle((10, 20, 30, 80), fill=(0, 0, 0, 255))
ImageDraw.Draw(pictures["ring"]).ellipse((20, 20, 80, 80), outline=(0, 0, 0, 255), width=12)


def on_white(picture):
    white = Image.new("RGBA", picture.size, "white")
    white.alpha_composite(picture)
    return white.convert("RGB")


for method in (imagehash.phash, imagehash.dhash, imagehash.average_hash, imagehash.whash):
    hashes = {name: method(picture) for name, picture in pictures.items()}
    print(method.__name__, {name: str(hash) for name, hash in hashes.items()}, "distance", int(hashes["bar"] - hashes["ring"]))
distance = imagehash.phash(on_white(pictures["bar"])) - imagehash.phash(on_white(pictures["ring"]))
print("phash on white: differs", int(distance) > 8)
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
phash {'bar': '0000000000000000', 'ring': '0000000000000000', 'empty': '0000000000000000'} distance 0
dhash {'bar': '0000000000000000', 'ring': '0000000000000000', 'empty': '0000000000000000'} distance 0
average_hash {'bar': '0000000000000000', 'ring': '0000000000000000', 'empty': '0000000000000000'} distance 0
whash {'bar': '0000000000000000', 'ring': '0000000000000000', 'empty': '0000000000000000'} distance 0
phash on white: differs True
SEEN
echo "as described"
