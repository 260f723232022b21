"""Members found by metadata."""
