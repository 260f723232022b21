"""Drawing styles."""
