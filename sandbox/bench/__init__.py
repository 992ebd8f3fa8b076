"""Measurements of speed next to other libraries: one file is one benchmark, run by `sandbox bench NAME`."""
