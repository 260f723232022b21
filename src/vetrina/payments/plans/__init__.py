"""Buying, changing and renewing plans."""
