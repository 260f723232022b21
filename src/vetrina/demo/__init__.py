"""Demonstrations: whole stories over HTTP on real photographs, and an account with finished work."""
