"""Data sets; one file is one data set."""
