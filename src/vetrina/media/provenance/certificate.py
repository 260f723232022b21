"""The certificate that signs Content Credentials: the site's own, made at first start, or the operator's.

One file holds the private key and the chain (PEM), so that both are replaced at once. The standard refuses a certificate that
signed itself, so the site's is issued by an authority made for it, whose key is thrown away.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from vetrina.core.files import write_whole
from vetrina.core.settings.environment import BadSetting, Settings

FILE = "content-credentials.pem"
"""The file in the data folder, unless VETRINA_CREDENTIALS_FILE names another."""
YEARS = 20
"""Without a time stamp of a third party, credentials are valid only as long as their certificate."""


class Certificate(msgspec.Struct, frozen=True):
    """Key and chain (PEM), its serial number (decimal), its subject's name, the C2PA name of its algorithm, its last day."""

    key: str
    chain: str
    serial: str
    subject: str
    algorithm: str
    until: datetime


def path_of(settings: Settings) -> Path:
    """Return the path of the file with key and chain."""
    return Path(settings.credentials_file) if settings.credentials_file else settings.data / FILE


def certificate(settings: Settings) -> Certificate:
    """Return the certificate, made and kept in the data folder if there is none. Raises BadSetting."""
    path = path_of(settings)
    try:
        if not settings.credentials_file and not path.exists():
            write_whole(path, _issue(urlsplit(settings.address).hostname or "localhost"), replace=False)
        text = path.read_text()
    except OSError as error:
        raise BadSetting(f"{path} cannot be read or written: {error.strerror}. It signs Content Credentials.") from error
    except UnicodeDecodeError:
        raise BadSetting(f"{path} is not text in PEM form. It signs Content Credentials.") from None
    return parse(path, text)


def existing(settings: Settings) -> Certificate | None:
    """Return the certificate, or None if there is none yet. Raises BadSetting as `certificate` does."""
    return certificate(settings) if path_of(settings).exists() else None


def parse(path: Path, text: str) -> Certificate:
    """Return the certificate in a file's text. Raises BadSetting when key and certificate are missing or do not match."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509.oid import NameOID

    start = text.find("-----BEGIN CERTIFICATE-----")
    advice = "It needs the private key (PKCS #8) and after it the chain, both as PEM; without the file a new one is made."
    try:
        leaf = x509.load_pem_x509_certificates(text[max(start, 0) :].encode())[0]
        key = load_pem_private_key(text[: max(start, 0)].encode(), None)
    except (ValueError, TypeError) as error:
        raise BadSetting(f"{path} holds no usable key and certificate ({error}). {advice}") from None
    curve = key.curve.name if isinstance(key, ec.EllipticCurvePrivateKey) else ""
    algorithms = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
    if curve not in algorithms:
        raise BadSetting(f"The key in {path} must be an elliptic one, of the curve P-256, P-384 or P-521.")
    if leaf.public_key() != key.public_key():
        raise BadSetting(f"The first certificate in {path} belongs to another key. {advice}")
    names = [
        *leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME),
        *leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME),
    ]
    return Certificate(
        key=text[:start],
        chain=text[start:],
        serial=str(leaf.serial_number),
        subject=str(names[0].value) if names else "",
        algorithm=algorithms[curve],
        until=leaf.not_valid_after_utc,
    )


def _issue(host: str) -> bytes:
    """Return a new key and chain for the site, as PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def named(common: str) -> x509.Name:
        return x509.Name(
            [x509.NameAttribute(NameOID.ORGANIZATION_NAME, host[:64]), x509.NameAttribute(NameOID.COMMON_NAME, common[:64])]
        )

    def builder(subject: x509.Name, public: ec.EllipticCurvePublicKey, *, authority: bool) -> x509.CertificateBuilder:
        now = datetime.now(UTC).replace(microsecond=0)
        usage = x509.KeyUsage(
            digital_signature=not authority,
            key_cert_sign=authority,
            crl_sign=authority,
            **dict.fromkeys(
                (
                    "content_commitment",
                    "key_encipherment",
                    "data_encipherment",
                    "key_agreement",
                    "encipher_only",
                    "decipher_only",
                ),
                False,
            ),
        )
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(named(f"{host} authority"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))  # for readers whose clock is slow
            .not_valid_after(now + timedelta(days=365 * YEARS))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        )

    above, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = builder(named(f"{host} authority"), above.public_key(), authority=True).sign(above, hashes.SHA256())
    leaf = (
        builder(named(host), key.public_key(), authority=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above.public_key()), critical=False)
        .sign(above, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return secret + leaf.public_bytes(Encoding.PEM) + authority.public_bytes(Encoding.PEM)
