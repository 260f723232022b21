#!/usr/bin/env bash
# feedgen 1.0.0: entries come out in the opposite order, and "updated" is the moment of writing.
#
# Expected: add_entry() called for the newest post first gives a feed with the newest first; an entry without updated() is refused
# or follows published(), since Atom (RFC 4287, 4.2.15) means the last change of the entry.
# Seen: each entry is put before the ones that are there, so the oldest comes first; an entry says that it was updated when the
# feed was written, so that every fetch shows every post as changed, and the feed's own "updated" does the same (no two
# writings are equal, which no ETag survives).
# Consequence: add_entry(order="append"), and set updated() of the feed and of each entry.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check feedgen==1.0.0
"$folder/venv/bin/python" - > "$folder/seen" <<'PY'
import re
from datetime import datetime, timezone

from feedgen.feed import FeedGenerator

started = datetime.now(timezone.utc)


def feed():
    generator = FeedGenerator()
    generator.id("https://example.com/")
    generator.title("Posts")
    generator.link(href="https://example.com/")
    for day in (3, 2, 1):
        entry = generator.add_entry()
        entry.id(f"https://example.com/{day}")
        entry.title(f"of the {day}. of May")
        entry.link(href=f"https://example.com/{day}")
        entry.published(datetime(2026, 5, day, tzinfo=timezone.utc))
    return generator.atom_str().decode()


text = feed()
print(re.findall(r"<title>(of[^<]*)</title>", text))
updated = [datetime.fromisoformat(moment) for moment in re.findall(r"<updated>([^<]*)</updated>", text)]
print(len(updated), "times of change, all of them of this run:", all(moment >= started for moment in updated))
print("written twice, equal:", feed() == text)
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
['of the 1. of May', 'of the 2. of May', 'of the 3. of May']
4 times of change, all of them of this run: True
written twice, equal: False
SEEN
echo "as described"
