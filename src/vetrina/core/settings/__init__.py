"""Settings: the environment, how values are parsed, and what operators change on a running site."""
