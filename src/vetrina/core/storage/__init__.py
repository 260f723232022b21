"""File storage and signed links."""
