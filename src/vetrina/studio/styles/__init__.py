"""The style catalogue."""
