"""The viewer in a browser: server, page and connected clients."""
