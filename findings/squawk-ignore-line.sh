#!/usr/bin/env bash
# squawk-cli 2.70.0: an exception before a statement of several lines does not reach the line that it is about.
#
# Expected: "-- squawk-ignore ban-drop-constraint" above "alter table ..." is for the statement, however it is broken into lines.
# Seen: it is for the next line alone; with "drop constraint" on the statement's second line the rule is reported all the same.
# Written on one line, or with the comment directly above that line, it is accepted.
# Consequence: put the exception above the very line, not above the statement.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check squawk-cli==2.70.0
cd "$folder"
printf -- '-- squawk-ignore ban-drop-constraint\nalter table prints\n  drop constraint price_positive;\n' > above-statement.sql
printf -- 'alter table prints\n  -- squawk-ignore ban-drop-constraint\n  drop constraint price_positive;\n' > above-line.sql
printf -- '-- squawk-ignore ban-drop-constraint\nalter table prints drop constraint price_positive;\n' > one-line.sql
for file in above-statement above-line one-line; do
  venv/bin/squawk --reporter json "$file.sql" > out.json 2>/dev/null || true
  echo "$file: $(grep -o 'ban-drop-constraint' out.json | sort | uniq -c | awk '{print $1}' | grep . || echo 0)"
done > seen
cat seen
diff seen - <<'SEEN'
above-statement: 1
above-line: 0
one-line: 0
SEEN
echo "as described"
