#!/usr/bin/env bash
# segno 1.6.6: make() draws a Micro QR code when the text is short.
#
# Expected: segno.make("P-2026-1") for a label on a print or for a short code gives a QR code that a telephone's camera reads.
# Seen: what fits comes out as a Micro QR code (one finder pattern, no version of the ordinary kind), which the cameras of common
# telephones do not read. A longer text on the next label gives an ordinary code, so that one tried by hand works.
# Consequence: make_qr() wherever a telephone reads the code.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check segno==1.6.6
"$folder/venv/bin/python" - > "$folder/seen" <<'PY'
import segno

for text in ("12345", "AB12", "P-2026-1", "https://a.example/p/1"):
    print(text, "make:", segno.make(text).designator, "micro:", segno.make(text).is_micro, "make_qr:", segno.make_qr(text).designator)
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
12345 make: M1 micro: True make_qr: 1-H
AB12 make: M2-M micro: True make_qr: 1-H
P-2026-1 make: M3-M micro: True make_qr: 1-H
https://a.example/p/1 make: 2-M micro: False make_qr: 2-M
SEEN
echo "as described"
