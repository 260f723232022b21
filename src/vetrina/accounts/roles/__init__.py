"""Roles and route guards."""
