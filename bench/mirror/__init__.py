"""The Stripe mirror against a bare prototype and stripe-sync-engine."""
