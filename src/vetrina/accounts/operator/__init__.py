"""Operator's account administration."""
