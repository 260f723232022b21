"""The certificates that clients trust."""

from __future__ import annotations

import ssl
from functools import cache

import httpx2


@cache
def certificates() -> ssl.SSLContext:
    """Read once, for it takes longer than a whole request."""
    return httpx2.create_ssl_context()
