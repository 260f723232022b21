"""Exit codes, output, sockets and database access of commands."""
