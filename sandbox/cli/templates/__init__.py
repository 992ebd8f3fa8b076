"""Members to start from; `sandbox new` copies one under another name."""
