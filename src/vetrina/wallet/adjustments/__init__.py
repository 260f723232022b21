"""Credits that operators give and take."""
