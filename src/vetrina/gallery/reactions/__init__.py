"""Likes and comments."""
