"""Albums of a business: pictures in an order, with a public page."""
