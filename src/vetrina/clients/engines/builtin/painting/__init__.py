"""Painting styles."""
