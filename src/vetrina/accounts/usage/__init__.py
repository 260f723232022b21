"""Usage figures of an account."""
