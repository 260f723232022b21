"""PostgreSQL: connection pool, statements, migrations, ids, batching."""
