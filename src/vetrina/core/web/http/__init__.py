"""HTTP itself: limits of the protocol, cookies, byte ranges."""
