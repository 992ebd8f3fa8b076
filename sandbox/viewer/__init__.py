"""Watch and play in a window."""
