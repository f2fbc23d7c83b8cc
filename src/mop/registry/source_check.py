"""Whether a model url can be read now: asked while its form is still open, with a time limit."""

from __future__ import annotations

import asyncio

from mop.accounts.models import Team
from mop.errors import ModelStructureError, MopError, OutsideFault, ValidationFailedError
from mop.sources.prefixes import allowed
from mop.sources.purposes import Purpose
from mop.sources.storage_settings import storage_config
from mop.storage.opening import open_source

SECONDS = 5.0


def check_source(url: str, team: Team) -> None:
    """Look for one file in the folder that the url names, if the team may read there; else nothing is requested.

    A storage that does not answer within the limit is no fault of the form: the pipeline tries again by itself.

    Raises:
        ValidationFailedError: the folder does not exist, holds nothing, or MOP may not read it; says how to fix it.
    """
    try:
        allowed(team, Purpose.MODELS, url)
        asyncio.run(asyncio.wait_for(_look(url), SECONDS))
    except (TimeoutError, ModelStructureError):  # more than one file, or a shape that the pipeline judges
        return
    except MopError as error:
        if isinstance(error, OutsideFault) and error.http_status >= 500:  # noqa: PLR2004 - not the reader's to fix
            return
        text = f"{error.message} {error.hint}".strip()
        raise ValidationFailedError(text, fields={"model_url": [text]}) from error


async def _look(url: str) -> None:
    source = open_source(url, storage_config())
    try:
        await source.list(at_most=1)
    finally:
        await source.close()
