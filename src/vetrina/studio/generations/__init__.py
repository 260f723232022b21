"""Starting, running and showing generations."""
