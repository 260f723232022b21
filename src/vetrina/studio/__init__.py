"""Image generation, paid with credits."""
