"""Images, plots and videos."""
