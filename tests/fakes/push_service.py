"""A push service (RFC 8030) that checks each message as a real one does, and a browser's keys that decrypt it."""

from __future__ import annotations

import json
import os
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey


def encode(data: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(data).decode().rstrip("=")


def decode(text: str) -> bytes:
    """Return the bytes of base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return a key's uncompressed point."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def open_message(body: bytes, key: ec.EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """Decrypt a message as a browser does (RFC 8291, section 3.4)."""
    salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
    sender, cipher = body[21 : 21 + length], body[21 + length :]
    assert len(cipher) <= size, "one record"
    shared = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
    secret = HKDF(SHA256(), 32, auth, b"WebPush: info\0" + point(key.public_key()) + sender).derive(shared)
    content = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(secret)
    nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(secret)
    plain = AESGCM(content).decrypt(nonce, cipher, None).rstrip(b"\0")
    assert plain.endswith(b"\x02")
    return plain[:-1]


class PushService:
    """The service on a port of 127.0.0.1, with one browser. `status` is what it answers a right message with."""

    def __init__(self) -> None:
        self.key, self.auth = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
        self.messages: list[dict[str, Any]] = []
        self.faults: list[str] = []
        self.status = 201
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status = service.take({name.lower(): value for name, value in self.headers.items()}, body)
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()

    def subscription(self, public_key: str) -> dict[str, Any]:
        """Subscribe the browser with the site's key; return what the browser sends to the site."""
        self.site_key = public_key
        keys = {"p256dh": encode(point(self.key.public_key())), "auth": encode(self.auth)}
        return {"endpoint": f"{self.origin}/push/1", "expirationTime": None, "keys": keys}

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Check and decrypt a message; return the answer's status."""
        try:
            scheme, _, fields = headers["authorization"].partition(" ")
            values = dict(field.strip().split("=", 1) for field in fields.split(","))
            raw = decode(values["k"])
            key = ECKey.import_key({"kty": "EC", "crv": "P-256", "x": encode(raw[1:33]), "y": encode(raw[33:])})
            token = jwt.decode(values["t"], key, algorithms=["ES256"])
            assert scheme == "vapid" and values["k"] == self.site_key, "the key of the subscription"
            assert token.claims["aud"] == self.origin, "the audience"
            assert time.time() < token.claims["exp"] <= time.time() + 86400, "the end"
            assert token.claims["sub"].startswith(("mailto:", "https:", "http:")), "the contact"
            assert headers["content-encoding"] == "aes128gcm" and int(headers["ttl"]) > 0
            assert len(body) <= 4096
        except Exception as fault:
            self.faults.append(repr(fault))
            return 403
        if self.status < 300:
            self.messages.append(json.loads(open_message(body, self.key, self.auth)))
        return self.status
