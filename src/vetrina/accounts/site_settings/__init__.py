"""Operator's site settings."""
