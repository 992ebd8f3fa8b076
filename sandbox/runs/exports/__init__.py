"""Export of a run's learner as a graph, which other programs run without this package: ONNX, and `torch.export`."""
