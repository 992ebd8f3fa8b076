"""The backbones turned round: from features to what they were seen in."""
