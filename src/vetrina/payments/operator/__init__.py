"""Operator's payments."""
