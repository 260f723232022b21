"""Confirming a session again before a dangerous act of an operator."""
