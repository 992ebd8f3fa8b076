"""Evaluation of agents on environments, and of generators on test data."""
