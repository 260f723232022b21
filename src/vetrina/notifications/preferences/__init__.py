"""What an account is notified of, and by which channel."""
