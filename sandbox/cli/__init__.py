"""The command line: one file is one command, `main` puts them together."""
