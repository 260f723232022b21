"""Packs of credits for sale."""
