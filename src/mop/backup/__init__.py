"""A consistent copy of a running installation in one file, and an installation from it."""
