"""Names, handles and business profiles."""
