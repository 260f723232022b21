"""Running functions on untrusted bytes in isolated child processes."""
