"""The web's own machinery: requests, problems, pages, paging, tracing. No domain."""
