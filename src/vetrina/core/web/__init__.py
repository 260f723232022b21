"""The web framework layer: requests, problems, pages, paging, middleware. Contains no domain code."""
