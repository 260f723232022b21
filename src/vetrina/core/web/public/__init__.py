"""What the site says about itself to visitors without an account: link previews, robots.txt, sitemaps, well-known files."""
