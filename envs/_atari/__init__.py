"""Components of the Atari environment."""
