"""Receipts as page and PDF."""
