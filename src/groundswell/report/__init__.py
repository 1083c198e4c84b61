"""From results to a self-contained report."""
