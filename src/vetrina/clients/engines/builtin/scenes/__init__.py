"""Product cut-out, composition and backdrops."""
