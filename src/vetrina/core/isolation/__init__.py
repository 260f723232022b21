"""Running functions in confined child processes."""
