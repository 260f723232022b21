"""The operator's editor of plans."""
