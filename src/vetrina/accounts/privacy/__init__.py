"""Data export and account erasure."""
