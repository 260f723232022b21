"""Identities at OpenID Connect providers."""
