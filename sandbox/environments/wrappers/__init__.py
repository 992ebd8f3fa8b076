"""Wrappers around environments; one file is one wrapper, for all copies at once."""
