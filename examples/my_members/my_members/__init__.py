"""Members of one's own: an agent, an environment, a generator and a data set, as a package."""
