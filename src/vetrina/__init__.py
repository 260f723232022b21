"""Vetrina: self-hosted software for people who make, show and sell images."""

__version__ = "0.1.0"
