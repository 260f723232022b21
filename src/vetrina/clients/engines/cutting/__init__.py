"""The engine that removes the background of a photograph."""
