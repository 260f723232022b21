"""The studio's drafts: what an account has entered and not started yet."""
