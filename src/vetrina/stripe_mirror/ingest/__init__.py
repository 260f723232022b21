"""Ingestion of Stripe events and objects."""
