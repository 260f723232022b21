"""Settings of a process: the environment, and how its values are parsed."""
