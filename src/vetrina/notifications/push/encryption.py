"""Encryption of push messages (RFC 8291, aes128gcm of RFC 8188): the push service carries what only the browser reads."""

from __future__ import annotations

import os
from base64 import urlsafe_b64decode

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RECORD_BYTES = 4096
"""Push services need not take more (RFC 8030, section 7.2)."""
MOST_BYTES = RECORD_BYTES - 86 - 17
"""Of a message: a record less the header, the tag of the cipher and the delimiter."""


def encrypt(
    message: bytes, p256dh: str, auth: str, *, key: ec.EllipticCurvePrivateKey | None = None, salt: bytes | None = None
) -> bytes:
    """Return the body for a subscription's keys (base64url). Raises ValueError for keys that are none, or a long message.

    `key` and `salt` are new for each message unless a test gives them.
    """
    if len(message) > MOST_BYTES:
        raise ValueError(f"a message has at most {MOST_BYTES} bytes")
    point = decode(p256dh)
    receiver = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    key, salt = key or ec.generate_private_key(ec.SECP256R1()), salt or os.urandom(16)
    sender = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = key.exchange(ec.ECDH(), receiver)
    secret = _derive(decode(auth), shared, b"WebPush: info\0" + point + sender, 32)
    cipher = AESGCM(_derive(salt, secret, b"Content-Encoding: aes128gcm\0", 16))
    nonce = _derive(salt, secret, b"Content-Encoding: nonce\0", 12)
    header = salt + RECORD_BYTES.to_bytes(4, "big") + len(sender).to_bytes(1, "big") + sender
    return header + cipher.encrypt(nonce, message + b"\x02", None)


def decode(text: str) -> bytes:
    """Return the bytes of base64url without padding. Raises ValueError."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _derive(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)
