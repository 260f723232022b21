"""Money in: packs, payments, gateways."""
