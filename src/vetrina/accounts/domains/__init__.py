"""Domains verified by DNS TXT records."""
