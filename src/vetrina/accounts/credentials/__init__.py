"""Changing an account's password, address and phone."""
