"""Credits: plans, packs, grants with expiry, holds, an append-only ledger."""
