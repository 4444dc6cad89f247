"""Dead letters: read back, mended and told."""
