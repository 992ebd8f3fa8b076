"""Components of adversarial training."""
