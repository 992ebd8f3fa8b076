"""Members of one's own."""
