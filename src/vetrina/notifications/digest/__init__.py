"""The daily mail of what is unread, and the link that stops it."""
