#!/usr/bin/env bash
# c2pa-python 0.38.1: the address of a time stamp server that is empty is not "none", and is only noticed when a file is signed.
#
# Expected: C2paSignerInfo(alg, sign_cert, private_key, ta_url), whose four values are bytes, takes b"" for no time stamp server, as
# a configuration without that setting would give; or it refuses b"" at once.
# Seen: Signer.from_info accepts b"", and Builder.sign then fails for every file. None signs without a time stamp. Texts in place of
# bytes are a TypeError of ctypes at once.
# Consequence: turn an empty setting into None before it comes here.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check c2pa-python==0.38.1 cryptography==50.0.2 Pillow==13.0.0
"$folder/venv/bin/python" - > "$folder/seen" <<'PY'
import datetime
import io

import c2pa
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
picture = io.BytesIO()
Image.new("RGB", (64, 48), (60, 200, 90)).save(picture, "JPEG")


def attempt(name, *values):
    try:
        info = c2pa.C2paSignerInfo(*values)
    except TypeError:
        print(f"{name}: TypeError when it is described")
        return
    signer = c2pa.Signer.from_info(info)
    try:
        c2pa.Builder(MANIFEST).sign(signer, "image/jpeg", io.BytesIO(picture.getvalue()), io.BytesIO())
    except Exception as error:
        print(f"{name}: accepted, {type(error).__name__} when a file is signed")
    else:
        print(f"{name}: signed")


attempt("no time stamp server (None)", c2pa.C2paSigningAlg.ES256, chain, key, None)
attempt("empty address", c2pa.C2paSigningAlg.ES256, chain, key, b"")
attempt("texts", c2pa.C2paSigningAlg.ES256, chain.decode(), key.decode(), None)
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
no time stamp server (None): signed
empty address: accepted, _C2paSignature when a file is signed
texts: TypeError when it is described
SEEN
echo "as described"
