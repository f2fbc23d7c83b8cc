"""Bundles: a version with its evidence in one signed file, made here and verified anywhere. docs/bundles.md."""
