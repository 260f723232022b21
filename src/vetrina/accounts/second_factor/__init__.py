"""TOTP and recovery codes."""
