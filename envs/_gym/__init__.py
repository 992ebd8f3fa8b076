"""The gate between Gymnasium environments of others and the sandbox: everything that they return is checked here."""
