"""Reading whole lists from Stripe's API."""
