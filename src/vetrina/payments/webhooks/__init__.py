"""Stripe webhook events: dispatch, retries, replay."""
