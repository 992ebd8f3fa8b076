"""The sandbox from Python: `sandbox.train`, `sandbox.load` and `sandbox.add_members`, without a command line."""
