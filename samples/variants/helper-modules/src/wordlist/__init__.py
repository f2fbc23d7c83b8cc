from .reader import WordList

__all__ = ["WordList"]
