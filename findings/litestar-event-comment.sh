#!/usr/bin/env bash
# litestar 2.25.0: a server-sent event that has only a comment is written with an empty data field as well.
#
# Expected: ServerSentEventMessage(comment="listening") is a comment (a line that begins with a colon) and nothing more, which
# readers ignore (HTML, 9.2.6): the usual way to keep a connection open.
# Seen: ": listening", then "data: ". Data defaults to the empty text, and an empty data field dispatches an event `message` with
# empty data at every keep-alive. With data=None the line is not written.
# Consequence: say data=None in every keep-alive comment.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check litestar==2.25.0
"$folder/venv/bin/python" - > "$folder/seen" <<'PY'
from litestar.response.sse import ServerSentEventMessage

print(ServerSentEventMessage(comment="listening").encode())
print(ServerSentEventMessage(comment="listening", data=None).encode())
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
b': listening\r\ndata: \r\n\r\n'
b': listening\r\n\r\n'
SEEN
echo "as described"
