"""Heads: networks from the features of a backbone to the values of actions."""
