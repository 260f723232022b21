#!/usr/bin/env bash
# c2pa-python 0.38.1 (c2pa-rs 0.91.3): signing a picture with default settings more than doubles a WebP.
#
# Expected: Content Credentials add a few kilobytes; a thumbnail inside, if there is one, is a small JPEG, whatever the picture is.
# Seen: by default a thumbnail is made, in the picture's own format. That of a WebP is stored without loss and is larger than
# the picture: a lossy one of 1600 x 1200 pixels grows to more than twice its size, a JPEG of the same pixels by a third or less.
# Without the thumbnail (builder.thumbnail.enabled, in the settings of the context) both grow by 3 KB, in a tenth of the time.
# Consequence: switch it off; the documentation of the Python package does not name the setting where signing is explained.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    c2pa-python==0.38.1 cryptography==50.0.2 Pillow==13.0.0 numpy==2.4.6
"$folder/venv/bin/python" - > "$folder/seen" <<'PY'
import datetime
import io

import c2pa
import numpy
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image


def certificate():
    above, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)

    def named(text):
        return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, text), x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def issued(subject, public, authority):
        usage = (not authority, False, False, False, False, authority, authority, False, False)
        builder = x509.CertificateBuilder().subject_name(named(subject)).issuer_name(named("above")).public_key(public)
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        builder = builder.not_valid_after(now + datetime.timedelta(days=99))
        builder = builder.add_extension(x509.BasicConstraints(authority, 0 if authority else None), True)
        builder = builder.add_extension(x509.KeyUsage(*usage), True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
        if not authority:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
            builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above.public_key()), False)
        return builder.sign(above, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    chain = issued("site", key.public_key(), False) + issued("above", above.public_key(), True)
    pkcs8 = serialization.PrivateFormat.PKCS8
    return chain, key.private_bytes(serialization.Encoding.PEM, pkcs8, serialization.NoEncryption())


made = {"action": "c2pa.created", "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"}
MANIFEST = {
    "claim_generator_info": [{"name": "finding", "version": "1"}],
    "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [made]}}],
}
chain, key = certificate()
noise = numpy.random.default_rng(1).normal(128, 20, (1200, 1600)).clip(0, 255).astype(numpy.uint8)
for kind, quality in (("jpeg", 90), ("webp", 85)):
    file = io.BytesIO()
    Image.fromarray(noise).convert("RGB").save(file, kind, quality=quality)
    for settings in (None, c2pa.Settings.from_dict({"builder": {"thumbnail": {"enabled": False}}})):
        signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", chain, key, None))
        signed = io.BytesIO()
        c2pa.Builder(MANIFEST, c2pa.Context(settings)).sign(signer, f"image/{kind}", io.BytesIO(file.getvalue()), signed)
        share = len(signed.getvalue()) / len(file.getvalue()) - 1
        size = "over 100 %" if share > 1 else "5 to 40 %" if share > 0.05 else "under 1 %" if share < 0.01 else f"{share:.3f}"
        print(f"{kind}, {'defaults' if settings is None else 'no thumbnail'}: grows by {size}")
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
jpeg, defaults: grows by 5 to 40 %
jpeg, no thumbnail: grows by under 1 %
webp, defaults: grows by over 100 %
webp, no thumbnail: grows by under 1 %
SEEN
echo "as described"
