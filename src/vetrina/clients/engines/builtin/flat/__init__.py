"""Flat-colour styles."""
