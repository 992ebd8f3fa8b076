"""How good a learner is, on environments or data it does not learn from."""
