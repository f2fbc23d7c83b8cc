"""Writing cases with their content and terms, many at once.

The ORM takes half a millisecond for a case with its 30 terms. So columns are converted once for all rows of a chunk, as
the ORM converts them, but for those that differ, and rows go to the database as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from mop.dsat.inputs import NewCase
from mop.dsat.models import Case, CaseContent, CaseTerm, item_of
from mop.dsat.terms import SIGNATURE_VERSION, band_terms, signatures, word_terms


@dataclass(frozen=True)
class Prepared:
    """A new case with what finds it."""

    new: NewCase
    signature: bytes
    terms: frozenset[int]


def prepare(new: Sequence[NewCase]) -> list[Prepared]:
    """Compute what finds cases, outside of any transaction."""
    if not new:
        return []
    found = [row.tobytes() for row in signatures([one.item for one in new])]
    return [
        Prepared(one, signature, frozenset({*_words(one.fields, one.item), *band_terms(signature)}))
        for one, signature in zip(new, found, strict=True)
    ]


def store(rows: Sequence[tuple[Prepared, Mapping[str, Any]]], shared: Mapping[str, Any]) -> None:
    """Insert cases with everything that finds them. Call it in a transaction; it records nothing.

    Args:
        rows: cases, and the columns that each has beside those of its input.
        shared: columns that all have.
    """
    if not rows:
        return
    ids = _new_ids(len(rows))
    differing = {"id", *rows[0][0].new.fields.keys() - shared.keys(), *rows[0][1]}
    template = Case(**shared)
    fields = [field for field in Case._meta.concrete_fields if not field.generated]  # noqa: SLF001 - documented name
    always = [
        None if field.name in differing else field.get_db_prep_save(field.pre_save(template, add=True), connection)
        for field in fields
    ]
    places = [(place, field) for place, field in enumerate(fields) if field.name in differing]
    values = []
    for case_id, (one, own) in zip(ids, rows, strict=True):
        row = list(always)
        given = {**one.new.fields, **own, "id": case_id}
        for place, field in places:
            value = given[field.name]
            row[place] = field.get_db_prep_save(value, connection) if isinstance(value, list) else value
        values.append(row)
    columns = [str(field.column) for field in fields]
    _insert(Case._meta.db_table, columns, values)  # noqa: SLF001 - as above
    insert_contents([one for one, _ in rows], ids)


def insert_contents(prepared: Sequence[Prepared], ids: Sequence[int]) -> None:
    """Insert content and terms of stored cases."""
    _insert(
        CaseContent._meta.db_table,  # noqa: SLF001 - as above
        ["case_id", "body", "signature", "signature_version"],
        [(case_id, one.new.body, one.signature, SIGNATURE_VERSION) for case_id, one in zip(ids, prepared, strict=True)],
    )
    _insert_terms((term, case_id) for case_id, one in zip(ids, prepared, strict=True) for term in one.terms)


def index_again(case: Case) -> None:
    """Replace the terms of a case whose description, tags or trace id changed."""
    content = CaseContent.objects.filter(pk=case.pk).first()
    terms = _words(vars(case), item_of(content) if content else {})
    if content:
        terms |= set(band_terms(bytes(content.signature)))
    CaseTerm.objects.filter(case=case).delete()
    _insert_terms((term, case.pk) for term in terms)


def _words(fields: Mapping[str, Any], item: Mapping[str, Any]) -> set[int]:
    return word_terms(item, description=fields["description"], tags=fields["tags"], trace_id=fields["trace_id"])


def _new_ids(count: int) -> list[int]:
    """Numbers that no case ever had, ascending."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence('dsat_case', 'id')) FROM generate_series(1, %s)", [count]
            )
            return [number for (number,) in cursor.fetchall()]
        # the one writer of SQLite is this transaction
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = 'dsat_case'")
        (last,) = cursor.fetchone() or (0,)
        return list(range(last + 1, last + count + 1))


def _insert_terms(rows: Iterable[tuple[int, int]]) -> None:
    # in the order of the index, whose pages are then touched once
    _insert(CaseTerm._meta.db_table, ["term", "case_id"], sorted(rows))  # noqa: SLF001 - as above


def _insert(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)  # noqa: S608 - names of models
