"""Buckets in S3, Google or Azure storage, and in S3-compatible servers such as MinIO."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from obstore.store import ObjectStore, from_url

from vetrina.core.settings.environment import BadSetting

SECONDS = 10.0
"""Seconds without data after which a request to a bucket fails."""
BYTES_PER_SECOND = 1024 * 1024
"""Minimum expected throughput to a bucket."""
_VARIABLES = {"s3": "AWS", "gs": "GOOGLE", "az": "AZURE"}
_FLAGS = ("allow_http", "allow_invalid_certificates", "http1_only", "http2_only", "randomize_addresses")
_TEXTS = ("proxy_url", "proxy_ca_certificate", "proxy_excludes", "root_certificate")
_ENDPOINTS = ("ENDPOINT", "ENDPOINT_URL", "ENDPOINT_URL_S3", "STORAGE_ENDPOINT")


def connect(url: str) -> tuple[ObjectStore, ObjectStore]:
    """Return the bucket at `url` for reading and for writing. Raises BadSetting for an invalid one.

    Credentials, region, endpoint and client options come from the provider's usual environment variables.
    """
    silence, beginning = timedelta(seconds=SECONDS), timedelta(seconds=5)
    shared = {**_environment(url.partition(":")[0]), "connect_timeout": beginning}
    again: Any = {"max_retries": 2, "retry_timeout": silence}
    reading: Any = {**shared, "read_timeout": silence, "timeout": timedelta(hours=1)}  # a slow reader is not a silent bucket
    writing: Any = {**shared, "timeout": timedelta(minutes=2)}  # per request, such as one part; `seconds_for` is for the whole
    try:
        return (
            from_url(url, client_options=reading, retry_config=again),
            from_url(url, client_options=writing, retry_config=again),
        )
    except Exception as error:  # obstore has its own errors for each provider
        raise BadSetting(f"VETRINA_STORAGE_URL leads to no bucket: {str(error).splitlines()[0]}") from error


def seconds_for(size: int) -> float:
    """Return the timeout of a write of `size` bytes."""
    return SECONDS + size / BYTES_PER_SECOND


def _environment(scheme: str) -> dict[str, Any]:
    """Return the client options of the environment: obstore ignores them all as soon as one is given in code."""
    prefix = _VARIABLES[scheme]
    options: dict[str, Any] = {}
    for option in (*_FLAGS, *_TEXTS):
        if value := os.environ.get(f"{prefix}_{option.upper()}", "").strip():
            options[option] = value.lower() in {"1", "true", "yes", "on"} if option in _FLAGS else value
    if any(os.environ.get(f"{prefix}_{name}", "").startswith("http://") for name in _ENDPOINTS):
        options.setdefault("allow_http", True)  # http:// in the endpoint is an explicit choice
    return options
