"""Components of Boltzmann machines and their kin."""
