"""Runs: from a config to a trained learner, and back from a run folder."""
