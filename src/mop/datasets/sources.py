"""Whether a dataset's url may be read for a team: asked when it is given, and again right before it is read."""

from __future__ import annotations

from mop.accounts.models import Team
from mop.sources.prefixes import allowed
from mop.sources.purposes import Purpose

FILE_NAME = "dataset.csv"


def folder_url(url: str) -> str:
    """The url of the folder, also where somebody gives that of the file in it."""
    return url.strip().removesuffix(f"/{FILE_NAME}")


def check_url(url: str, *, team: Team) -> None:
    """Refuse a url that MOP may not read for this team. Nothing is requested and no file is opened.

    Raises:
        ModelRevisionEmptyModelUrlError, ModelUrlNotFoundError, ModelUrlForbiddenError: as `allowed`.
    """
    allowed(team, Purpose.DATASETS, url)
