"""What is put around environments: one file is one wrapper, native to the batch."""
