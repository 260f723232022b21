"""Who someone is: registration, sign-in, sessions of browsers and programs."""
