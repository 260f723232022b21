"""General commands, one file each. Modules define theirs in their `commands.py`."""
