"""Pages of the fake: the checkout, the portal, and a control page for the bank's side."""

from __future__ import annotations

import html
from typing import Any

_STYLE = """
:root { color-scheme: light dark } body { font: 1.05rem/1.5 system-ui, sans-serif; margin: 0 }
main { max-width: 30rem; margin: 8vh auto; padding: 0 1rem } h1 { font-size: 1.4rem; margin: 0 0 .25rem }
label { display: block; margin: .75rem 0 .25rem }
input, select { font: inherit; padding: .5rem; width: 100%; box-sizing: border-box }
button, .button { font: inherit; padding: .55rem 1rem; margin: 1rem .5rem 0 0; cursor: pointer }
.sum { font-size: 2rem; margin: .25rem 0 1rem }
.wrong { color: #b3261e; font-weight: 600 } .mark { opacity: .7; font-size: .9rem }
table { border-collapse: collapse; width: 100% }
td, th { text-align: start; padding: .3rem .5rem; border-bottom: 1px solid #8884 }
main.wide { max-width: 60rem } td form { display: inline }
td button { margin: 0; padding: .2rem .5rem }
"""


def _page(title: str, body: str, *, wide: bool = False) -> str:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>{html.escape(title)}</title><style>{_STYLE}</style><main class="{"wide" if wide else ""}">{body}</main></html>'
    )


def _sum(amount: int, currency: str) -> str:
    return f"{amount / 100:,.2f} {currency.upper()}"


def pay(session: dict[str, Any], title: str, wrong: str | None = None) -> str:
    """Render the checkout page."""
    words = f'<p class="wrong" role="alert">{html.escape(wrong)}</p>' if wrong else ""
    back = f'<a class="button" href="{html.escape(session["cancel_url"])}">Back</a>' if session["cancel_url"] else ""
    return _page(
        "Pay (a test)",
        f"""<p class="mark">An imitation of Stripe: no money moves</p><h1>{html.escape(title)}</h1>
<p class="sum">{_sum(session["amount_total"], session["currency"])}</p>{words}
<form method="post"><label for="card">Card number</label>
<input id="card" name="card" inputmode="numeric" autocomplete="off" value="4242 4242 4242 4242" list="cards" required>
<datalist id="cards"><option value="4242 4242 4242 4242">pays</option><option value="4000 0000 0000 0002">is declined</option>
<option value="4000 0000 0000 9995">has no money</option><option value="4000 0000 0000 0259">pays, and is disputed</option>
<option value="bank debit">is paid later</option></datalist>
<button>Pay {_sum(session["amount_total"], session["currency"])}</button> {back}</form>""",
    )


def over(session: dict[str, Any]) -> str:
    """Render a closed checkout page."""
    words = "It was paid." if session["status"] == "complete" else "Its time has run out."
    return _page("Over", f"<h1>This checkout is over</h1><p>{words}</p>")


def portal(made: dict[str, Any], subscriptions: list[dict[str, Any]]) -> str:
    """Render the billing portal."""
    rows = (
        "".join(f"<li>{html.escape(subscription['id'])}: {subscription['status']}</li>" for subscription in subscriptions)
        or "<li>None</li>"
    )
    back = f'<a class="button" href="{html.escape(made["return_url"])}">Back to the shop</a>' if made["return_url"] else ""
    return _page("Billing (a test)", f"<h1>Billing, an imitation</h1><h2>Subscriptions</h2><ul>{rows}</ul>{back}")


def desk(charges: list[dict[str, Any]], disputes: list[dict[str, Any]], subscriptions: list[dict[str, Any]]) -> str:
    """Render all charges, with buttons for external events."""

    def button(act: str, name: str, words: str) -> str:
        field = f'<input type="hidden" name="id" value="{name}">'
        return f'<form method="post" action="/_fake/{act}">{field}<button>{words}</button></form>'

    paid = "".join(
        f"<tr><td>{charge['payment_intent']}</td><td>{_sum(charge['amount'], charge['currency'])}</td><td>{charge['status']}</td>"
        f"<td>{_sum(charge['amount_refunded'], charge['currency'])}</td><td>"
        + (button("refund", charge["payment_intent"], "Refund") + button("dispute", charge["payment_intent"], "Dispute")
           if charge["paid"] else "") + "</td></tr>"
        for charge in charges[::-1][:100]
    )  # fmt: skip
    held = "".join(
        f"<tr><td>{dispute['id']}</td><td>{_sum(dispute['amount'], dispute['currency'])}</td>"
        f"<td>{dispute['status']}</td><td></td><td>"
        + (button("won", dispute["id"], "Won by the shop") + button("lost", dispute["id"], "Lost")
           if dispute["status"] in {"needs_response", "under_review"} else "") + "</td></tr>"
        for dispute in disputes[::-1][:100]
    )  # fmt: skip
    monthly = "".join(
        f"<tr><td>{subscription['id']}</td><td></td><td>{subscription['status']}</td><td></td><td>"
        + button("renew", subscription["id"], "Renew")
        + button("renew-unpaid", subscription["id"], "Renew, and it fails") + "</td></tr>"
        for subscription in subscriptions[::-1][:100]
    )  # fmt: skip
    head = "<thead><tr><th>What</th><th>Sum</th><th>State</th><th>Paid back</th><th>Do</th></tr></thead>"
    return _page(
        "The bank's desk",
        f"<h1>The bank's desk</h1><p>An imitation of Stripe on this machine: no money moves.</p>"
        f"<h2>Charges</h2><table>{head}{paid}</table><h2>Disputes</h2><table>{head}{held}</table>"
        f"<h2>Subscriptions</h2><table>{head}{monthly}</table>",
        wide=True,
    )
