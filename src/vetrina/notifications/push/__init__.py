"""Web Push (RFC 8030): browsers that an account has asked to show notifications."""
