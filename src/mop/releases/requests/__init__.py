"""Releases to downstream services: requested, decided, live, rolled back."""
