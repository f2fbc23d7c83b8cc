"""What API and pages tell of a case, by what the reader may read. Nothing here holds content."""

from __future__ import annotations

from typing import Any

from mop.accounts.models import User
from mop.accounts.rules import may
from mop.dsat.models import Case, ContentGrant, Import
from mop.dsat.reading import Reader
from mop.dsat.selectors import comments_of, similar_cases
from mop.registry.models import Revision


def case_document(case: Case, reader: Reader) -> dict[str, Any]:
    """A row of the list. What people wrote about the case is null for those who may not read its content."""
    reads = reader.reads(case)
    state = case.get_state()
    revision = shown_revision(case, reader.user)
    return {
        "number": case.number,
        "task": case.task.name,
        "state": state,
        "state_description": state.meaning,
        "kind": case.kind or None,
        "expected_label": case.expected_label or None,
        "predicted_label": case.predicted_label or None,
        "service": case.service,
        "submitter": case.submitter.username if case.submitter else None,
        "assignee": case.assignee.username if case.assignee else None,
        "restricted": case.is_restricted,
        "edition": case.edition,
        "fixed_by": {"model": revision.model.name, "version": revision.version} if revision else None,
        "created_at": case.created_at,
        "changed_at": case.changed_at,
        "may_read": reads,
        "description": case.description if reads else None,
        "tags": list(case.tags) if reads else None,
        "trace_id": case.trace_id if reads else None,
    }


def case_detail(case: Case, reader: Reader) -> dict[str, Any]:
    """A case with its comments and near duplicates, each for those who may read them."""
    reads = reader.reads(case)
    return {
        **case_document(case, reader),
        "comments": [
            {"author": one.author.username, "created_at": one.created_at, "text": one.text}
            for one in (comments_of(case) if reads else ())
        ],
        "similar": [
            {"number": one.case.number, "similarity": round(one.similarity, 2)}
            for one in (similar_cases(case, reader) if reads else ())
        ],
    }


def shown_revision(case: Case, user: User) -> Revision | None:
    """The version that fixed a case, for those who see the version."""
    revision = case.fixed_by
    return revision if revision is not None and may(user, "registry.view_revision", revision) else None


def import_document(row: Import) -> dict[str, Any]:
    """An import and its report."""
    state = row.get_state()
    return {
        "id": row.pk,
        "task": row.task.name,
        "file_name": row.file_name,
        "size": row.size,
        "state": state,
        "state_description": state.meaning,
        "is_final": state.is_final,
        "percent": row.percent,
        "rows": row.rows,
        "added": row.added,
        "known": row.known,
        "refused": row.refused,
        "faults": row.faults,
        "error": row.error,
        "created_at": row.created_at,
    }


def grant_document(grant: ContentGrant) -> dict[str, Any]:
    """Who reads the cases of a task, and who let them."""
    return {
        "id": grant.pk,
        "team": grant.team.name if grant.team else None,
        "administrator": grant.user.username if grant.user else None,
        "granted_by": grant.granted_by_label,
        "granted_at": grant.granted_at,
    }
