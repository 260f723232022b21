"""Uploads, the library and file quotas."""
