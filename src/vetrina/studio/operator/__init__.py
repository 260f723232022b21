"""What operators see of studio on an account's page and find by search."""
