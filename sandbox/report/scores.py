"""Which metric of a run is its score."""

# The first of these that a run has logged.
SCORES = ("eval/return", "env/return", "eval/log_likelihood", "eval/elbo", "elbo", "loss")
