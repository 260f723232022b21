"""`make bench`: what must be fast, measured as ratios against what it stands on, in one run."""
