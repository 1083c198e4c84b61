"""Models of persons."""
