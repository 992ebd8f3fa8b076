"""Components of the Stable-Baselines3 agents."""
