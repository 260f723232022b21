"""Plans, quotas and periods."""
