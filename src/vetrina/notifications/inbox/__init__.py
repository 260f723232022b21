"""The page of notifications: list, mark read, live count."""
