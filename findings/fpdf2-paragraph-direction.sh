#!/usr/bin/env bash
# fpdf2 2.8.9 with uharfbuzz 0.57.0: the direction of the second paragraph.
#
# Expected: multi_cell() with text shaping finds the direction of every paragraph by its own first letter, as rules P1 to P3
# of the Unicode bidirectional algorithm say: P1 splits the text into paragraphs first.
# Seen: the text is not split first, and its first letter decides for all of it. A Persian paragraph below a line that begins
# with Latin letters ("Visa:") is set as left-to-right text: its full stop stands at the right, and the words around a
# Latin name change places. Alone, the same paragraph is right. An English line below a Persian one is set right to left.
# Consequence: one call for a paragraph, or set_text_shaping(direction=...) for each.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    fpdf2==2.8.9 uharfbuzz==0.57.0 fonttools==4.68.0 pypdfium2==5.15.2
"$folder/venv/bin/python" - "$folder/boxes.ttf" > "$folder/seen" <<'PY'
import sys

import pypdfium2
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fpdf import FPDF

# A font of boxes: the script needs the places of letters, not their forms. Alef, beh and dal are the Persian text.
NAMES = {"\u0627": "alef", "\u0628": "beh", "\u062f": "dal", "a": "a", "b": "b", ".": ".", " ": " "}
pen = TTGlyphPen(None)
for point, draw in zip(((50, 0), (50, 500), (450, 500), (450, 0)), (pen.moveTo, pen.lineTo, pen.lineTo, pen.lineTo)):
    draw(point)
pen.closePath()
box = pen.glyph()
glyphs = [".notdef"] + [f"glyph{ord(letter)}" for letter in NAMES]
builder = FontBuilder(1000, isTTF=True)
builder.setupGlyphOrder(glyphs)
builder.setupCharacterMap({ord(letter): f"glyph{ord(letter)}" for letter in NAMES})
builder.setupGlyf(dict.fromkeys(glyphs, box))
builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (500, 50)))
builder.setupHorizontalHeader(ascent=800, descent=-200)
builder.setupNameTable({"familyName": "Boxes", "styleName": "Regular", "psName": "Boxes-Regular"})
builder.setupOS2(sTypoAscender=800, sTypoDescender=-200, usWinAscent=800, usWinDescent=200)
builder.setupPost()
builder.save(sys.argv[1])


def lines(text):
    """Return the letters of every line by their place, from left to right."""
    document = FPDF()
    document.add_page()
    document.add_font("boxes", "", sys.argv[1])
    document.set_font("boxes", size=12)
    document.set_text_shaping(True)
    document.multi_cell(180, 8, text)
    page = pypdfium2.PdfDocument(bytes(document.output()))[0].get_textpage()
    rows = {}
    for index in range(page.count_chars()):
        letter = page.get_text_range(index, 1)
        if letter.strip():
            left, bottom, _, _ = page.get_charbox(index)
            rows.setdefault(round(bottom), []).append((left, NAMES[letter]))
    return [" ".join(name for _, name in sorted(row)) for _, row in sorted(rows.items(), reverse=True)]


persian = "\u0627\u0628 ab \u062f."
print("Persian alone:", lines(persian))
print("below a Latin line:", lines("ab\n" + persian))
print("Latin alone:", lines("ab \u0627\u0628 a."))
print("below a Persian line:", lines("\u062f\nab \u0627\u0628 a."))
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
Persian alone: ['. dal a b beh alef']
below a Latin line: ['a b', 'beh alef a b dal .']
Latin alone: ['a b beh alef a .']
below a Persian line: ['dal', '. a beh alef a b']
SEEN
echo "as described"
