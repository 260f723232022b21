#!/usr/bin/env bash
# word2number 1.1: digits that are spelled one after the other are added up.
#
# Expected: "nine one two" (a part of a telephone number, as people dictate it) gives 912, or is refused as no number.
# Seen: 11, without an error; with "zero" before it 3; "double five three" is 8; a year in two halves ("nineteen eighty four") is
# 1524.
# Consequence: no use for finding spelled-out telephone numbers; read the words one by one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check word2number==1.1
"$folder/venv/bin/python" - > "$folder/seen" <<'PY'
from word2number import w2n

for words in ("one hundred and twenty", "nine one two", "zero nine one two", "double five three", "nineteen eighty four"):
    print(words, "->", w2n.word_to_num(words))
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
one hundred and twenty -> 120
nine one two -> 11
zero nine one two -> 3
double five three -> 8
nineteen eighty four -> 1524
SEEN
echo "as described"
