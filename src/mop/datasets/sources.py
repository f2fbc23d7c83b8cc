"""Whether a dataset's url may be read for a team: asked when it is given, and again right before it is read."""

from __future__ import annotations

from mop.accounts.models import Team
from mop.registry.sources import storage_config
from mop.storage import parse_url

FILE_NAME = "dataset.csv"


def folder_url(url: str) -> str:
    """The url of the folder, also where somebody gives that of the file in it."""
    return url.strip().removesuffix(f"/{FILE_NAME}")


def check_url(url: str, *, team: Team) -> None:
    """Refuse a url that MOP may not read for this team. Nothing is requested and no file is opened.

    Raises:
        ModelRevisionEmptyModelUrlError, ModelUrlNotFoundError, ModelUrlForbiddenError: as `parse_url`.
    """
    del team  # a prefix belongs to a team and a purpose
    parse_url(url, storage_config())
