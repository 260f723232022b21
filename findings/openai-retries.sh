#!/usr/bin/env bash
# openai 3.52.0: one call for a picture that fails with 500 is sent three times, without an idempotency key.
#
# Expected: what the client repeats by itself carries a key, as Stripe's client does, so that a server that had made (and charged
# for) the picture before it failed recognises the repetition.
# Seen: the default max_retries=2 repeats images.generate() and the upload of images.edit(); the only mark is a count in a
# header of its own (x-stainless-retry-count).
# Consequence: max_retries=0, and repeat only what is known not to have been made.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openai==3.52.0
"$folder/venv/bin/python" - > "$folder/seen" <<'PY'
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai

seen = []


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        names = sorted(name.lower() for name in self.headers)
        seen.append((self.path, [n for n in names if "idempotency" in n or "retry" in n], self.headers["x-stainless-retry-count"]))
        self.send_response(500)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = openai.OpenAI(base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="none")
for name, call in (
    ("generate", lambda: client.images.generate(model="gpt-image-1", prompt="a cup")),
    ("edit", lambda: client.images.edit(model="gpt-image-1", prompt="a cup", image=("cup.png", b"picture"))),
):
    try:
        call()
    except openai.InternalServerError as error:
        print(name, type(error).__name__)
for row in seen:
    print(*row)
server.shutdown()
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
generate InternalServerError
edit InternalServerError
/v1/images/generations ['x-stainless-retry-count'] 0
/v1/images/generations ['x-stainless-retry-count'] 1
/v1/images/generations ['x-stainless-retry-count'] 2
/v1/images/edits ['x-stainless-retry-count'] 0
/v1/images/edits ['x-stainless-retry-count'] 1
/v1/images/edits ['x-stainless-retry-count'] 2
SEEN
echo "as described"
