"""Lists of posts: the wall, the feed, profiles, tags, search, Atom and JSON feeds."""
