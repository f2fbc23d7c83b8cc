"""Runs that prove the contract of a verified version again: with a further task, or with another sample."""
