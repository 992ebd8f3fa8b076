"""Components of Boltzmann machines, belief nets and Hopfield networks."""
