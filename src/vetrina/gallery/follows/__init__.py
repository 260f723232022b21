"""Follows, blocks and mutes between accounts."""
