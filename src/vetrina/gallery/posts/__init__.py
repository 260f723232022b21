"""Posts: several pictures in order with a text."""
