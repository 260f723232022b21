"""Sessions: refresh tokens, access tokens, revocation, the request middleware."""
