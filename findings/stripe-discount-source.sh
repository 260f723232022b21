#!/usr/bin/env bash
# stripe 16.1.0 (its pinned API version): a discount has no coupon any more, and its terms are not in the event.
#
# Expected: the object of customer.discount.created holds `coupon` with percent_off or amount_off, as in the many examples of
# discounts that are published.
# Seen: the annotated class has no field `coupon`. It has `source`, whose `coupon` is an id or, expanded, an object; there
# is no call to fetch a discount by its id either.
# Consequence: whoever copies discounts from events needs the coupon as well: fetch it by its id, or list subscriptions with
# their discounts expanded; code that reads discount.coupon finds nothing and takes every discount for none.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check stripe==16.1.0
"$folder/venv/bin/python" - > "$folder/seen" <<'PY'
import stripe

fields = stripe.Discount.__annotations__
print("stripe", stripe.VERSION)
print("coupon" in fields, "source" in fields)
print("source:", sorted(stripe.Discount.Source.__annotations__))
print("coupon of the source may be a string:", "str" in str(stripe.Discount.Source.__annotations__["coupon"]))
print("retrieve:", hasattr(stripe.Discount, "retrieve"), "client service:", hasattr(stripe.StripeClient("sk_test_none").v1, "discounts"))
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
stripe 16.1.0
False True
source: ['coupon', 'type']
coupon of the source may be a string: True
retrieve: False client service: False
SEEN
echo "as described"
