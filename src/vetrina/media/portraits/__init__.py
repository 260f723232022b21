"""Avatars and logos; profile pages."""
