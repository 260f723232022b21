#!/usr/bin/env bash
# standardwebhooks 1.1.0: sign() takes an aware datetime and ignores its time zone.
#
# Expected: the same instant, written in UTC or in Tehran's time, is signed alike, since the signature covers seconds since 1970.
# Seen: the clock's figures are read as UTC, so a datetime at +03:30 is signed for a moment three and a half hours later. verify()
# with the true time in the header then says "No matching signature found", which reads like a wrong secret.
# Consequence: give sign() datetimes in UTC only.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check standardwebhooks==1.1.0
"$folder/venv/bin/python" - > "$folder/seen" <<'PY'
import base64
from datetime import datetime, timedelta, timezone

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

webhook = Webhook("whsec_" + base64.b64encode(b"an example, 24 bytes long").decode())
body = '{"type":"order.paid"}'
utc = datetime.now(timezone.utc)
tehran = utc.astimezone(timezone(timedelta(hours=3, minutes=30)))
print("same instant:", utc == tehran)
print("same signature:", webhook.sign("msg_1", utc, body) == webhook.sign("msg_1", tehran, body))
for name, moment in (("UTC", utc), ("Tehran", tehran)):
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": webhook.sign("msg_1", moment, body),
    }
    try:
        print(name, webhook.verify(body, headers))
    except WebhookVerificationError as error:
        print(name, error)
shifted = tehran.replace(tzinfo=timezone.utc)
print("signed for Tehran's figures read as UTC:", webhook.sign("msg_1", tehran, body) == webhook.sign("msg_1", shifted, body))
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
same instant: True
same signature: False
UTC {'type': 'order.paid'}
Tehran No matching signature found
signed for Tehran's figures read as UTC: True
SEEN
echo "as described"
