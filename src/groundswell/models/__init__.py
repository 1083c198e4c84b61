"""The models; each knows the data floor only."""
