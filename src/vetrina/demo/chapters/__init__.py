"""Chapters of the account demo."""
