"""Imports of DSAT cases without a worker. Import it when Django is set up."""

from __future__ import annotations

from mop.dsat.importing import ReadAhead, claim, import_chunk


def import_now(import_id: object) -> None:
    """Do what a worker does with an import, to its end."""
    claim(str(import_id), "host")
    with ReadAhead() as ahead:
        while not import_chunk(str(import_id), ahead):
            pass
