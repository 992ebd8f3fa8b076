"""Image helpers of generators."""
