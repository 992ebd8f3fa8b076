"""Logging of metrics, media and checkpoints: to the console, JSON lines, TensorBoard and Weights & Biases."""
