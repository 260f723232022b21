"""Image decoding, re-encoding and file type detection."""
