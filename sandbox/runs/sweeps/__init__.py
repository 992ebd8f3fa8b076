"""Many runs of one config: grids and searches over options, trained by processes of their own."""
