"""Neural networks: backbones and recurrent cores that agents and generators share, heads, and decoders."""
