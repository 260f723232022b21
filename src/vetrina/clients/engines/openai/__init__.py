"""OpenAI-compatible images endpoints."""
