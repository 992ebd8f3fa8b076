"""Decoders: the backbones mirrored, from features to images."""
