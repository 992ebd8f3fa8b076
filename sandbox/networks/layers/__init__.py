"""Layers that the backbones are built from: activations, normalization, pooling, dropout, spectral norm."""
