"""The studio's page: the form that generations and batches are started from, and its draft."""
