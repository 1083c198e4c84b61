"""Pictures: a result goes in, matplotlib axes come out."""
