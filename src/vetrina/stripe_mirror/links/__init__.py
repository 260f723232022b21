"""Links between accounts and customers of Stripe."""
