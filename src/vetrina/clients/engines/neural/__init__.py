"""The neural engine: styles painted by small networks on the CPU."""
