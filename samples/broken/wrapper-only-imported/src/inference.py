"""The wrapper is defined in another module, so none is defined here."""

from wrapper import WordModel

__all__ = ["WordModel"]
