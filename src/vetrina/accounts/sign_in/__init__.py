"""Registration and sign-in."""
