"""Equations: pure functions with paper, shapes and a hand-computed test."""
