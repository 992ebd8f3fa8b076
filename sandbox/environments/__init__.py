"""Components of environments: batch programs, wrappers, checks and drawing."""
