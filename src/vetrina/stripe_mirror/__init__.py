"""A live copy of what Stripe holds: webhooks in any order, backfill, proof."""
