"""The framework: interfaces, components, training loop, runs and command line; docs/architecture.md has the layers."""
