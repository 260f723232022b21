"""Serving file bytes through signed links."""
