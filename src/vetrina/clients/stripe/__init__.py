"""Stripe client on the official SDK."""
