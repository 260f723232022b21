"""Account letters by mail and SMS."""
