"""Writing cases with their content and terms, many at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from mop.dsat.models import Case, CaseContent, CaseTerm, item_of
from mop.dsat.terms import SIGNATURE_VERSION, band_terms, packed, signatures, unpacked, word_terms

_ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class NewCase:
    """A case that is not stored yet, its content as JSON, and the same as data."""

    case: Case
    body: bytes
    item: Mapping[str, Any]


@dataclass(frozen=True)
class Prepared:
    """A new case with what finds it."""

    new: NewCase
    signature: bytes
    terms: frozenset[int]


def prepare(new: Sequence[NewCase]) -> list[Prepared]:
    """Compute what finds cases, outside of any transaction."""
    found = signatures(one.item for one in new)
    return [
        Prepared(one, packed(signature), frozenset({*_words(one.case, one.item), *band_terms(signature)}))
        for one, signature in zip(new, found, strict=True)
    ]


def store(prepared: Sequence[Prepared]) -> None:
    """Insert cases with everything that finds them. Call it in a transaction; it records nothing."""
    Case.objects.bulk_create([one.new.case for one in prepared], batch_size=_ROWS_AT_ONCE)
    insert_contents(prepared)


def insert_contents(prepared: Sequence[Prepared]) -> None:
    """Insert content and terms of stored cases."""
    CaseContent.objects.bulk_create(
        [
            CaseContent(
                case_id=one.new.case.pk,
                body=one.new.body,
                signature=one.signature,
                signature_version=SIGNATURE_VERSION,
            )
            for one in prepared
        ],
        batch_size=_ROWS_AT_ONCE,
    )
    _insert_terms((term, one.new.case.pk) for one in prepared for term in one.terms)


def index_again(case: Case) -> None:
    """Replace the terms of a case whose description, tags or trace id changed."""
    content = CaseContent.objects.filter(pk=case.pk).first()
    item = item_of(content) if content else {}
    terms = _words(case, item)
    if content:
        terms |= set(band_terms(unpacked(bytes(content.signature))))
    CaseTerm.objects.filter(case=case).delete()
    _insert_terms((term, case.pk) for term in terms)


def _words(case: Case, item: Mapping[str, Any]) -> set[int]:
    return word_terms(item, description=case.description, tags=case.tags, trace_id=case.trace_id)


def _insert_terms(rows: Iterable[tuple[int, int]]) -> None:
    """Some 30 rows a case: objects of the ORM would take most of the time of an import."""
    given = list(rows)
    if not given:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            terms, cases = zip(*given, strict=True)
            cursor.execute(
                "INSERT INTO dsat_caseterm (term, case_id) SELECT * FROM unnest(%s::bigint[], %s::bigint[])",
                [list(terms), list(cases)],
            )
        else:
            cursor.executemany("INSERT INTO dsat_caseterm (term, case_id) VALUES (%s, %s)", given)
