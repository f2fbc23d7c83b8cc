"""Writing cases with their content and terms, many at once.

The ORM takes half a millisecond for a case with its 30 terms. So columns are converted once for all rows of a chunk, as
the ORM converts them, but for those that differ, and rows go to the database as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection

from mop.deferred import np
from mop.dsat.inputs import NewCase
from mop.dsat.models import Case, CaseContent, CaseTerm, item_of
from mop.dsat.terms import Terms, band_terms, signature_version, signatures
from mop.engine.bulk import insert_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TERMS = CaseTerm._meta.db_table  # noqa: SLF001 - documented name
_BINARY = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # signature, no flags, no extension of the header
_BINARY_ROW = [("fields", ">i2"), ("bytes", ">i4"), ("term", ">i8"), ("width", ">i4"), ("case", ">i8")]
_BINARY_END = b"\xff\xff"


@dataclass(frozen=True)
class Prepared:
    """A new case with what finds it; `terms`: 64-bit numbers, as `CaseContent.terms` keeps them."""

    new: NewCase
    signature: bytes
    terms: bytes


def prepare(new: Sequence[NewCase]) -> list[Prepared]:
    """Compute what finds cases, outside of any transaction."""
    if not new:
        return []
    words = Terms()
    prepared = []
    for one, row in zip(new, signatures([one.item for one in new]), strict=True):
        signature = row.tobytes()
        prepared.append(Prepared(one, signature, _kept(_found_by(words, one.fields, one.item, signature))))
    return prepared


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
    tags: dict[tuple[str, ...], Any] = {}  # the one list among the columns; most cases of a file have the same
    for case_id, (one, own) in zip(ids, rows, strict=True):
        row = list(always)
        given = {**one.new.fields, **own, "id": case_id}
        for place, field in places:
            value = given[field.name]
            if isinstance(value, list):
                if (kept := tags.get(tuple(value))) is None:
                    kept = tags[tuple(value)] = field.get_db_prep_save(value, connection)
                value = kept
            row[place] = value
        values.append(row)
    columns = [str(field.column) for field in fields]
    insert_rows(Case._meta.db_table, columns, values)  # noqa: SLF001 - as above
    insert_contents([one for one, _ in rows], ids)


def insert_contents(prepared: Sequence[Prepared], ids: Sequence[int]) -> None:
    """Insert content and terms of stored cases."""
    version = signature_version()
    insert_rows(
        CaseContent._meta.db_table,  # noqa: SLF001 - as above
        ["case_id", "body", "signature", "signature_version", "terms"],
        [
            (case_id, one.new.body, one.signature, version, one.terms)
            for case_id, one in zip(ids, prepared, strict=True)
        ],
    )
    _insert_terms([one.terms for one in prepared], ids)


def index_again(case: Case) -> None:
    """Replace the terms of a case whose description, tags or trace id changed."""
    content = CaseContent.objects.filter(pk=case.pk).first()
    if content is None:
        return
    forget_terms([case.pk])
    content.terms = _kept(_found_by(Terms(), vars(case), item_of(content), bytes(content.signature)))
    content.save(update_fields=["terms"])
    _insert_terms([content.terms], [case.pk])


def forget_terms(ids: Sequence[int]) -> None:
    """Remove cases from the index. Call it in the transaction that deletes them, before their content goes."""
    kept = CaseContent.objects.filter(pk__in=ids).values_list("case_id", "terms")
    rows = [(term, case_id) for case_id, terms in kept for term in _numbers(bytes(terms)).tolist()]
    with connection.cursor() as cursor:
        cursor.executemany(f'DELETE FROM "{_TERMS}" WHERE term = %s AND case_id = %s', sorted(rows))  # noqa: S608 - a name of ours


def _found_by(words: Terms, fields: Mapping[str, Any], item: Mapping[str, Any], signature: bytes) -> set[int]:
    said = words.of(item, description=fields["description"], tags=fields["tags"], trace_id=fields["trace_id"])
    return said.union(band_terms(signature))


def _kept(terms: set[int]) -> bytes:
    return np.fromiter(terms, "<i8", len(terms)).tobytes()


def _numbers(kept: bytes) -> NDArray[np.int64]:
    return np.frombuffer(kept, "<i8")


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


def _insert_terms(kept: Sequence[bytes], ids: Sequence[int]) -> None:
    """Insert what each case is found by, in the order of the index, whose pages are then touched once."""
    terms = _numbers(b"".join(kept))
    cases = np.repeat(np.asarray(ids, np.int64), [len(one) // 8 for one in kept])
    order = np.lexsort((cases, terms))
    terms, cases = terms[order], cases[order]
    if connection.vendor != "postgresql":
        insert_rows(_TERMS, ["term", "case_id"], list(zip(terms.tolist(), cases.tolist(), strict=True)))
        return
    rows = np.empty(len(terms), _BINARY_ROW)
    rows["fields"], rows["bytes"], rows["width"] = 2, 8, 8
    rows["term"], rows["case"] = terms, cases
    with (
        connection.cursor() as cursor,
        cursor.copy(f'COPY "{_TERMS}" (term, case_id) FROM STDIN (FORMAT BINARY)') as copy,
    ):
        copy.write(_BINARY + rows.tobytes() + _BINARY_END)
