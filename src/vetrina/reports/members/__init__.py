"""Members: Stripe customers and subscriptions, searched by metadata."""
