"""Avatars, logos and profile pages."""
