"""The key by which push services know this site (VAPID, RFC 8292), made at first start."""

from __future__ import annotations

import time
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from joserfc import jwt
from joserfc.jwk import ECKey

from vetrina.core.files import write_whole
from vetrina.core.services import Services
from vetrina.core.settings.environment import BadSetting, Settings

FILE = "web-push.pem"
"""The file in the data folder. Browsers subscribe to this key: with another one they have to subscribe again."""
SECONDS = 12 * 3600
"""How long a signature is good; RFC 8292 allows a day."""


class PushKey:
    """The site's key, read when it is first needed; one instance per process."""

    def __init__(self, settings: Settings) -> None:
        self._contact = f"mailto:{settings.mail_from.rpartition('<')[2].rstrip('>')}" if settings.mail_from else settings.address
        self._path = settings.data / FILE
        self._key: ec.EllipticCurvePrivateKey | None = None

    @classmethod
    def provide(cls, services: Services) -> Self:
        """Return the key of the process."""
        return cls(services.settings)

    @property
    def key(self) -> ec.EllipticCurvePrivateKey:
        """Return the private key. Raises BadSetting when its file cannot be read or written."""
        if self._key is None:
            self._key = _read(self._path)
        return self._key

    @property
    def public(self) -> str:
        """Return the public key as browsers take it: an uncompressed point, base64url."""
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return urlsafe_b64encode(point).decode().rstrip("=")

    def authorization(self, endpoint: str) -> str:
        """Return the header that signs a message to a push service: for its origin alone, for twelve hours."""
        parts = urlsplit(endpoint)
        claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": int(time.time()) + SECONDS, "sub": self._contact}
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        token = jwt.encode({"typ": "JWT", "alg": "ES256"}, claims, ECKey.import_key(pem))
        return f"vapid t={token}, k={self.public}"


def _read(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        if not path.exists():
            pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            write_whole(path, pem, replace=False)
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise BadSetting(f"{path} cannot be used: {error}. It signs messages to push services.") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise BadSetting(f"{path} must hold a key of the curve P-256. It signs messages to push services.")
    return key
