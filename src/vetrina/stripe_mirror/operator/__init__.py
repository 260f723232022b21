"""What operators see of stripe mirror on an account's page and find by search."""
