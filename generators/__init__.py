"""Generative models. One file is one model."""
