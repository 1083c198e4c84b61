"""Sweeps: one model at many parameter values, one pure task for each (configuration, seed), one file each."""
