"""What runs have come to, for people to read: pages, Markdown, W&B Reports, and the card in each run folder."""
