"""Contracts of members: `sandbox check` runs them on a file, and the tests on every member of this package."""
