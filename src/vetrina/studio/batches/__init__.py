"""Batches: several generations that are started together, all or none."""
