"""Public pictures: reports, removal by operators, the choice for the front page."""
