"""Content Credentials (C2PA): what a generated picture says about itself, signed by the site's own certificate."""
