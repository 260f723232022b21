#!/usr/bin/env bash
# puremagic 1.30 and filetype 1.2.0: some HEIC and AVIF pictures are films to the one and nothing to the other.
#
# Expected: a sniffer of file types calls a HEIC picture image/heic and an AVIF picture image/avif, whatever their bits and frames.
# Seen: puremagic calls the HEIC files that libheif writes video/mp4; filetype knows the ordinary ones, but neither a HEIC of ten
# bits a channel (brand heix) nor an animated AVIF (brand avis): None for both, as for a text file.
# Consequence: open the file with the decoder that will read it, and let that say what it is.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  puremagic==1.30 filetype==1.2.0 pillow==12.0.0 pillow-heif==1.4.0 numpy==2.4.6
"$folder/venv/bin/python" - > "$folder/seen" <<'PY'
import io

import filetype
import numpy
import pillow_heif
import puremagic
from PIL import Image

pillow_heif.register_heif_opener()


def named(name, data):
    kind = filetype.guess(data)
    try:
        pure = puremagic.from_string(data, mime=True)
    except puremagic.PureError:
        pure = None
    print(f"{name} brand {data[8:12].decode()} filetype {kind.mime if kind else None} puremagic {pure}")


red = Image.new("RGB", (64, 64), "red")
for format, options in (("AVIF", {}), ("AVIF", {"save_all": True, "append_images": [Image.new("RGB", (64, 64), "blue")]}), ("HEIF", {})):
    file = io.BytesIO()
    red.save(file, format, **options)
    named(format + (" animated" if options else ""), file.getvalue())
deep = pillow_heif.from_bytes("RGB;16", (64, 64), numpy.full((64, 64, 3), 40000, numpy.uint16).tobytes())
file = io.BytesIO()
deep.save(file)
named("HEIF 10 bits", file.getvalue())
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
AVIF brand avif filetype image/avif puremagic image/avif
AVIF animated brand avis filetype None puremagic image/avif
HEIF brand heic filetype image/heic puremagic video/mp4
HEIF 10 bits brand heix filetype None puremagic video/mp4
SEEN
echo "as described"
