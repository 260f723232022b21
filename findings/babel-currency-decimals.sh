#!/usr/bin/env bash
# Babel 2.19.0 (CLDR) beside iso4217 1.16.20260101 (the standard's own list): decimals of currencies.
#
# Expected: a library for writing sums of money takes the number of decimals from ISO 4217.
# Seen: CLDR gives what is usual in shops. Fifteen currencies have 0 decimals there and 2 (IQD: 3) in the standard, HUF, COP,
# IDR and IRR among them, and format_currency() rounds to them without a word: 12.34 Colombian pesos are written "COP12".
# Payment services count in the standard's hundredths for most of them, so a sum is shown that is not the one charged.
# Consequence: decimals belong in a table of one's own; currency_digits=False keeps the library from rounding.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check Babel==2.19.0 iso4217==1.16.20260101
"$folder/venv/bin/python" - > "$folder/seen" <<'PY'
from babel.numbers import format_currency, get_currency_precision
from iso4217 import Currency

differing = [
    f"{currency.code} {currency.exponent}/{get_currency_precision(currency.code)}"
    for currency in Currency
    if currency.exponent is not None and currency.exponent != get_currency_precision(currency.code)
]
print("ISO 4217 / CLDR:", ", ".join(sorted(differing)))
for code in ("COP", "HUF", "USD"):
    print(code, format_currency(12.34, code, locale="en"), format_currency(12.34, code, "¤0.00", locale="en", currency_digits=False))
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
ISO 4217 / CLDR: AFN 2/0, ALL 2/0, COP 2/0, HUF 2/0, IDR 2/0, IQD 3/0, IRR 2/0, KPW 2/0, LAK 2/0, LBP 2/0, MGA 2/0, MMK 2/0, SOS 2/0, SYP 2/0, YER 2/0
COP COP12 COP12.34
HUF HUF12 HUF12.34
USD $12.34 $12.34
SEEN
echo "as described"
