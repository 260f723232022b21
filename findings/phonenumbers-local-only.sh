#!/usr/bin/env bash
# phonenumbers 9.0.43: "possible" includes numbers without their area code, and E.164 is made of them all the same.
#
# Expected: is_possible_number() is False for "555-1234" in the United States, or at least format_number(E164) declines,
# since nothing can be dialled from abroad with it.
# Seen: is_possible_number() is True (the reason is IS_POSSIBLE_LOCAL_ONLY, 4, not IS_POSSIBLE, 0), and E.164 is the
# seven digits behind the country code: "+15551234", an address of nobody. A number typed with its country code but
# without its last digits, "+98 912 345 67", passes in the same way.
# Consequence: whoever identifies an account by E.164 must ask is_possible_number_with_reason() and take only 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check phonenumbers==9.0.43
"$folder/venv/bin/python" - > "$folder/seen" <<'PY'
import phonenumbers
from phonenumbers import PhoneNumberFormat

for text, region in (("555-1234", "US"), ("+98 912 345 67", None), ("+98 912 345 6789", None), ("(212) 555-0123", "US")):
    number = phonenumbers.parse(text, region)
    print(
        f"{text}: possible {phonenumbers.is_possible_number(number)},",
        f"reason {int(phonenumbers.is_possible_number_with_reason(number))},",
        phonenumbers.format_number(number, PhoneNumberFormat.E164),
    )
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
555-1234: possible True, reason 4, +15551234
+98 912 345 67: possible True, reason 4, +9891234567
+98 912 345 6789: possible True, reason 0, +989123456789
(212) 555-0123: possible True, reason 0, +12125550123
SEEN
echo "as described"
