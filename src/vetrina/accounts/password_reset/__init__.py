"""Password reset by a code."""
