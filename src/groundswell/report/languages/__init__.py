"""The sentences of the report, one catalogue a language."""
