"""Models of what is said about a history."""
