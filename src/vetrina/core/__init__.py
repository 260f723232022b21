"""What every module stands on and no one shop needs alone: no domain in here."""
