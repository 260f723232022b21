"""Vetrina's own commands, one file each. Modules bring theirs in their `commands.py`."""
