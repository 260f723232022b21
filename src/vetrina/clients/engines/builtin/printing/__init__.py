"""Printmaking styles."""
