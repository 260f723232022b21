#!/usr/bin/env bash
# Babel 2.19.0: the Persian locale's numbering system changes the separators of a number, never its digits.
#
# Expected: format_decimal() and format_date() in fa_IR write Persian digits, since the locale's own numbering system
# (arabext) is what CLDR gives as its default; if one of them takes a numbering system, so does the other.
# Seen: numbers have Latin digits and Latin separators; with numbering_system="default" they have Persian separators between
# Latin digits. Dates have Latin digits, and format_date() takes no numbering system.
# Consequence: translate the digits of every formatted number and date afterwards, and ask for the separators as well.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check babel==2.19.0
PYTHONIOENCODING=utf-8 "$folder/venv/bin/python" - > "$folder/seen" <<'PY'
import datetime, inspect
from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal

print("default system", Locale.parse("fa_IR").default_numbering_system)
print("number", format_decimal(1234.5, locale="fa_IR"))
print("number, numbering_system=default", format_decimal(1234.5, locale="fa_IR", numbering_system="default"))
print("date", format_date(datetime.date(2026, 11, 28), locale="fa_IR"))
print("format_date takes a numbering system:", "numbering_system" in inspect.signature(format_date).parameters)
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
default system arabext
number 1,234.5
number, numbering_system=default 1٬234٫5
date 28 نوامبر 2026
format_date takes a numbering system: False
SEEN
echo "as described"
