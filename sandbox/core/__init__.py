"""Foundations: errors, messages, random streams, device, CUDA graphs and the background thread."""
