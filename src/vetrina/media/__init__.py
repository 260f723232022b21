"""Pictures that people bring or make: taking in, keeping, showing and deleting them."""
