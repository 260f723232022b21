"""Spawning and supervising processes."""
