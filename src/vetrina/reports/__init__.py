"""What the mirror tells: members by their metadata, recurring revenue and its movements, as of any date."""
