"""Regression tests: every version against the cases that users complained about."""
