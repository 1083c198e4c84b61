"""Whole cases: data, setting, accounts and questions."""
