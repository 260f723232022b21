"""Backfill: read whole lists from Stripe's API."""
