"""Interfaces of agents, generators, streams, environments and data sets."""
