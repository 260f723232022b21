"""Other people's services: typed clients, no database."""
