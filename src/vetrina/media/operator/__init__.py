"""What operators see of media on an account's page and find by search."""
