"""Taking in Stripe events and objects."""
