"""Files in forms: kept in memory, and refused by every page that does not say that it takes some."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.exceptions import TooManyFilesSent
from django.core.files.uploadhandler import MemoryFileUploadHandler

_View = TypeVar("_View", bound=Callable[..., Any])
_MARK = "takes_files"


def takes_files(view: _View) -> _View:
    """Let a view's form hold files."""
    setattr(view, _MARK, True)
    return view


class MemoryUploadHandler(MemoryFileUploadHandler):
    """Keeps the files of a form in memory; those of views without `takes_files` are answered by 400."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Raises: TooManyFilesSent: the view takes no file."""
        match = self.request.resolver_match if self.request else None
        if match is None or not getattr(match.func, _MARK, False):
            raise TooManyFilesSent("this page takes no files")
        super().new_file(*args, **kwargs)
