"""Checkout: prices, opening a payment, return pages."""
