"""Reports on runs: HTML pages, Markdown, W&B Reports, and the README in each run folder."""
