"""Recording gateway results, expiry, sweep and verification of payments."""
