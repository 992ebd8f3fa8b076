"""Watch and play: a desktop window, a web page and videos."""
