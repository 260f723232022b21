"""Grants, holds and ledger entries."""
