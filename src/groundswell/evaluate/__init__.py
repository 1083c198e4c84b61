"""Forecasts, baselines, scores and comparison."""
