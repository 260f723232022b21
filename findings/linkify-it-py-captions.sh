#!/usr/bin/env bash
# linkify-it-py 2.2.0: file names, sizes and a missing space become links.
#
# Expected: with its defaults the linkifier finds addresses that a writer meant: https://..., www..., mail addresses, well-known domains.
# Seen: any word, a full stop and two letters that are some country's domain is a link: the working file "photo.ai", a size "3.in",
# a price list's "30x40.no frame" and every "sold.it" where a space is missing. "portrait.jpg" stays text, so that one try
# with an ordinary file name does not show it.
# Consequence: set fuzzy_link off in captions and descriptions; what has a scheme or is a mail address is found as before.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check linkify-it-py==2.2.0
"$folder/venv/bin/python" - > "$folder/seen" <<'PY'
from linkify_it import LinkifyIt

captions = [
    "working file photo.ai",
    "size 3.in",
    "Print 30x40.no frame",
    "It is sold.it was the last",
    "portrait.jpg",
    "see https://example.com/a or ada@example.com",
]
for name, linkify in (("default", LinkifyIt()), ("without fuzzy_link", LinkifyIt(options={"fuzzy_link": False}))):
    for caption in captions:
        print(name + ":", caption, "->", [match.text for match in linkify.match(caption) or []])
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
default: working file photo.ai -> ['photo.ai']
default: size 3.in -> ['3.in']
default: Print 30x40.no frame -> ['30x40.no']
default: It is sold.it was the last -> ['sold.it']
default: portrait.jpg -> []
default: see https://example.com/a or ada@example.com -> ['https://example.com/a', 'ada@example.com']
without fuzzy_link: working file photo.ai -> []
without fuzzy_link: size 3.in -> []
without fuzzy_link: Print 30x40.no frame -> []
without fuzzy_link: It is sold.it was the last -> []
without fuzzy_link: portrait.jpg -> []
without fuzzy_link: see https://example.com/a or ada@example.com -> ['https://example.com/a', 'ada@example.com']
SEEN
echo "as described"
