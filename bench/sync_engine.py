def ready() -> bool:
    return False
