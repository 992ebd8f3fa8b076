"""Measurements against what else can be installed: one file is one bench, run by `sandbox bench NAME`."""
