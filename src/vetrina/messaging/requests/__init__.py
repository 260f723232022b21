"""Requests of strangers: accept, decline."""
