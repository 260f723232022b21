"""Acts on several pictures of the library at once, each with its undo."""
