"""What commands of every module use: exit codes, output, database access."""
