"""The house: words and interfaces, parts, streams, loops and the roof. `DESIGN` of the floors is in README.md."""
