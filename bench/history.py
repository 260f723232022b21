def measure(at, *, rows): return []
