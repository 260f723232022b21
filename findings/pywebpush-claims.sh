#!/usr/bin/env bash
# pywebpush 2.5.0: webpush() writes the first push service into the caller's claims, and keeps it for the next one.
#
# Expected: one dictionary of VAPID claims ({"sub": "mailto:..."}) serves for all subscriptions, as the headers do, which are copied.
# Seen: "aud" and "exp" of the first subscription stay in the dictionary; the second subscription, at another browser's push
# service, is signed for the first one's address. RFC 8292 has a push service refuse that.
# Consequence: a new dictionary for each call.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pywebpush==2.5.0
"$folder/venv/bin/python" - > "$folder/seen" <<'PY'
import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid
from pywebpush import webpush


def encode(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


audiences = []


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        token = self.headers["authorization"].split("t=")[1].split(",")[0].split(".")[1]
        audiences.append(json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))["aud"])
        self.send_response(201)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


servers = [ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2)]
for server in servers:
    threading.Thread(target=server.serve_forever, daemon=True).start()
point = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(
    serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
)
key = Vapid()
key.generate_keys()
claims = {"sub": "mailto:operator@example.com"}
for server in servers:
    subscription = {
        "endpoint": f"http://127.0.0.1:{server.server_port}/push/1",
        "keys": {"p256dh": encode(point), "auth": encode(b"sixteen bytes 16")},
    }
    webpush(subscription, "{}", vapid_private_key=key, vapid_claims=claims)
print("claims afterwards:", sorted(claims))
first, second = (f"http://127.0.0.1:{server.server_port}" for server in servers)
print("first service got its own address:", audiences[0] == first)
print("second service got its own address:", audiences[1] == second, "the first one's:", audiences[1] == first)
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
claims afterwards: ['aud', 'exp', 'sub']
first service got its own address: True
second service got its own address: False the first one's: True
SEEN
echo "as described"
