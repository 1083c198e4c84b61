"""Models of single events."""
