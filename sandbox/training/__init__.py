"""The training loop and what it needs: signals, batch norm, warm starts."""
