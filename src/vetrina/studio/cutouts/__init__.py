"""Removing the background of a picture of the library: shown free at a small size first, then made for a token."""
