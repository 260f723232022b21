"""Rebuild, comparison and order tests of the mirror."""
