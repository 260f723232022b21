"""`make bench`: speed of critical paths, as ratios against a baseline in the same run."""
