"""Matching installed packages against advisories in OSV's form; no file of a model, no network, no database."""
