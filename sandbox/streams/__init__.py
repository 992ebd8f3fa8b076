"""Streams: the batches that learners are trained on."""
