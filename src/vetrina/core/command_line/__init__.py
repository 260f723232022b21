"""Helpers shared by the commands of all modules: exit codes, output, database access."""
