"""One-time codes that confirm an e-mail address or a phone number."""
