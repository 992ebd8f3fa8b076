"""Backbones shared by agents and generators, and the decoders that mirror them."""
