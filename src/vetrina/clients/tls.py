"""TLS certificates that clients trust."""

from __future__ import annotations

import ssl
from functools import cache

import httpx2


@cache
def certificates() -> ssl.SSLContext:
    """Return the default trust store, loaded once: loading takes longer than a request."""
    return httpx2.create_ssl_context()
