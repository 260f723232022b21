#!/usr/bin/env bash
# jdatetime 6.1.1: the locale fa_IR changes the names of a date, not its digits nor its order.
#
# Expected: strftime() of a date with locale="fa_IR" writes what a Persian reader expects: Persian digits, and for %x ("the
# locale's date") year, month, day; strptime() reads the same text back.
# Seen: the names are Persian, the digits are Latin in every format, and %x is month/day/two digits of the year, whatever the
# locale. strptime() does read Persian digits, so what people type is parsed and is shown to them differently. %U (number
# of the week) is copied as it stands.
# Consequence: write the format in full ("%Y/%m/%d") and replace the digits afterwards.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jdatetime==6.1.1
PYTHONIOENCODING=utf-8 "$folder/venv/bin/python" - > "$folder/seen" <<'PY'
import jdatetime

date = jdatetime.datetime(1405, 9, 7, 13, 5, locale="fa_IR")
for format in ("%B", "%d", "%Y/%m/%d", "%x", "%U"):
    print(format, date.strftime(format))
typed = "\u06f1\u06f4\u06f0\u06f5/\u06f0\u06f9/\u06f0\u06f7"  # 1405/09/07 in Persian digits
parsed = jdatetime.datetime.strptime(typed, "%Y/%m/%d")
print("typed", typed, "parsed", parsed.date(), "written as typed:", date.strftime("%Y/%m/%d") == typed)
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
%B آذر
%d 07
%Y/%m/%d 1405/09/07
%x 09/07/05
%U %U
typed ۱۴۰۵/۰۹/۰۷ parsed 1405-09-07 written as typed: False
SEEN
echo "as described"
