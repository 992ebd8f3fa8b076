"""Data sets. One file is one data set."""
