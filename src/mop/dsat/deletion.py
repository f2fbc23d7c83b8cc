"""Deleting cases with everything that was derived from them.

Content, signature and comments refer to the case with CASCADE, and so do the recorded outcomes of areas above. Its
terms are deleted by name, and the file of an import is gone since the import ended. SQLite overwrites what it deletes
(`secure_delete`); the write-ahead log is emptied after the commit. PostgreSQL frees the space with its next VACUUM.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db import connection, transaction

from mop.audit.services import Actor, record
from mop.dsat.actions import Action
from mop.dsat.models import Case
from mop.dsat.notices import forget_case
from mop.dsat.store import forget_terms

DELETION_HOOKS: list[Callable[[Sequence[int]], None]] = []
"""What areas above do when cases are deleted, for what no foreign key reaches, such as files. Each is given the ids, in
the transaction of the deletion."""


@transaction.atomic
def delete_case(*, actor: Actor, case: Case) -> None:
    """Delete one case, its content, what was said about it and every outcome that was recorded for it."""
    record(
        actor=actor,
        action=Action.CASE_DELETED,
        object_type="dsat case",
        object_id=case.pk,
        object_label=case.number,
        data={"task": case.task.name, "state": case.state},
    )
    remove_cases([case.pk])


def remove_cases(ids: Sequence[int]) -> None:
    """Remove cases with what belongs to them. Call it in a transaction; the caller records it."""
    for hook in DELETION_HOOKS:
        hook(ids)
    for case_id in ids:
        forget_case(case_id)
    forget_terms(ids)
    Case.objects.filter(pk__in=ids).delete()
    transaction.on_commit(_empty_write_ahead_log)


def _empty_write_ahead_log() -> None:
    """The log of writes holds pages as they were. While somebody reads from it, it is emptied by a later checkpoint."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return
    with connection.cursor() as cursor:
        (patience,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute("PRAGMA busy_timeout = 100")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute(f"PRAGMA busy_timeout = {int(patience)}")
