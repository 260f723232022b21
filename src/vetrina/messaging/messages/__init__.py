"""Messages: send, read, edit, delete, search; live."""
