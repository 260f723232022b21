"""Payment gateways: Stripe, ZarinPal, sandbox."""
