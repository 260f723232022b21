"""Vetrina: self-hosted software for people who make, show and sell images."""
