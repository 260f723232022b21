"""Stored bytes of an account, and their limit."""
