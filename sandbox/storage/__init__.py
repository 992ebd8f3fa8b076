"""Run folders, checkpoints and files that are written whole."""
